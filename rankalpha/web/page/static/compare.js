// Two batches beside each other: the version, checksum, figures and checks that each has published.
import { element, header } from "./dom.js";
import { moment, number } from "./format.js";

const HEADS = ["Figure", "This", "The other", "Change"];
const LETTERS = ["A", "B", "C", "D", "F"];

/** The comparison of two batches by their lineages; `grades` are the counts of each batch, null where they are not known. */
export function comparison(lineages, grades) {
  const steps = lineages[0].steps.map(({ step }) => step);
  const tables = steps.map((name) => table(name, lineages.map((found) => found.steps.find((one) => one.step === name)), name === "grading" ? grades : []));
  const only = element("input");
  only.type = "checkbox";
  only.checked = true;
  const made = element("div", "comparison only-changes", [element("label", "", [only, " Only what differs"]), ...tables]);
  only.addEventListener("change", () => made.classList.toggle("only-changes", only.checked));
  return made;
}

function table(name, found, grades) {
  const [ours, theirs] = found.map((step, index) => figures(step, grades[index]));
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const rows = names.map((figure) => row(figure, ours.get(figure) ?? null, theirs.get(figure) ?? null));
  const changed = rows.filter((made) => made.classList.contains("changed")).length;
  const head = element("tr", "", HEADS.map((text) => header(text, "col")));
  const content = [element("h3", "", name)];
  if (!rows.length) content.push(element("p", "sub", "Neither batch has published this."));
  else if (!changed) content.push(element("p", "sub", "Nothing differs."));
  if (rows.length) content.push(element("table", changed ? "compared" : "compared unchanged", [element("thead", "", [head]), element("tbody", "", rows)]));
  return element("section", "", content);
}

/** What a step has published, by the name of the figure; nothing when it has not. */
function figures(step, grades) {
  if (!step?.output) return new Map();
  const { inputs, output } = step;
  const { version, container } = output;
  const pairs = [
    ["Session", output.session?.text], ["Published", output.published && `${moment(output.published)} UTC`],
    ...inputs.map((input) => [`Read ${input.dataset}`, input.version?.path ?? `batch ${input.batch}`]),
    ["Version", version?.path], ["Checksum of the version", version?.sha256], ["Checksum", output.checksum],
    ["Image", container?.digest ?? container?.image], ["Made for", output.reused_from && `batch ${output.reused_from}`],
    ["Rows", output.rows], ["Symbols", output.symbols], ["As of", output.as_of],
    ...LETTERS.map((letter) => [`Stocks with ${letter}`, grades?.[letter]]),
    ...(output.checks ?? []).map((check) => [`Check: ${check.name}`, check.value]),
  ];
  return new Map(pairs.filter(([, value]) => value !== null && value !== undefined && value !== ""));
}

function row(figure, ours, theirs) {
  const same = ours === theirs;
  return element("tr", same ? "" : "changed", [
    header(figure, "row"), element("td", "figure", number(ours)), element("td", "figure", number(theirs)),
    element("td", same ? "sub" : "", change(ours, theirs)),
  ]);
}

/** How our value differs from the other one, in words. */
function change(ours, theirs) {
  if (ours === theirs) return "same";
  if (ours === null) return "only the other";
  if (theirs === null) return "only this";
  if (typeof ours !== "number" || typeof theirs !== "number") return "differs";
  const share = theirs ? ` (${signed(((ours - theirs) / Math.abs(theirs)) * 100)} %)` : "";
  return `${signed(ours - theirs)}${share}`;
}

function signed(value) {
  return `${value > 0 ? "+" : ""}${number(value)}`;
}
