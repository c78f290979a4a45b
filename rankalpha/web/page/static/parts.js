// The tables and lists of the panel.
import { element, facts } from "./dom.js";
import { bytes, duration, moment, number } from "./format.js";
import { logLink, runLink } from "./links.js";
import { CROSS, PASSED, WARNING, icon } from "./states.js";

const UNCHECKED = [["path", { d: "M4 8h8" }]];

/** The checks of a dataset's contract: what was found, what was expected, and what came of it. */
export function checksTable(checks) {
  const head = element("tr", "", ["Check", "Found", "Expected", "Outcome"].map((name) => {
    const made = element("th", "", name);
    made.scope = "col";
    return made;
  }));
  const rows = [...checks].sort((a, b) => Number(a.passed) - Number(b.passed)).map((check) => {
    const [tone, word, sign] = outcome(check);
    const name = element("th", "", check.name);
    name.scope = "row";
    return element("tr", tone, [
      name,
      element("td", "figure", number(check.value)),
      element("td", "figure", check.expected),
      element("td", "", [element("span", `mark ${tone}`, [icon(sign), element("b", "", word)])]),
    ]);
  });
  const table = element("table", "checks", [element("thead", "", [head]), element("tbody", "", rows)]);
  return section("Contract", [table]);
}

function outcome(check) {
  if (!check.passed) return check.severity === "block" ? ["bad", "blocks", CROSS] : ["warn", "warns", WARNING];
  return check.value === null ? ["idle", "not checked", UNCHECKED] : ["good", "passed", PASSED];
}

/** What the stage's container was and used. */
export function containerFacts(container) {
  return section("Container", [facts([
    ["Image", container.image],
    ["Digest", container.digest ? element("code", "", container.digest) : "not known"],
    ["Name", container.name],
    ["Ran", duration(container.seconds)],
    ["CPU", container.cpu_seconds === null ? "not measured" : duration(container.cpu_seconds)],
    ["Peak memory", container.peak_memory_bytes === null ? "not measured" : bytes(container.peak_memory_bytes)],
  ])]);
}

/** Where a step of a batch came from: what it read, what it published, and every run and try of it. */
export function lineagePart(step, named) {
  const content = [];
  for (const input of step.inputs) {
    const words = `batch ${input.batch}, published ${moment(input.published)} UTC`;
    content.push(facts([[`Read ${input.dataset}`, words], ["Checksum", checksum(input)]]));
  }
  if (step.output) {
    const { dataset, published } = step.output;
    content.push(facts([[`Published ${dataset}`, `${moment(published)} UTC`], ["Checksum", checksum(step.output)]]));
  }
  content.push(...step.runs.map((run) => runPart(step.dag_id, run)));
  if (!content.length) content.push(element("p", "sub", "No run yet"));
  return section(named ? step.step : "Lineage", content);
}

function checksum(event) {
  return event.checksum ? element("code", "", event.checksum) : null;
}

function runPart(dagId, run) {
  const times = run.started ? `, ${moment(run.started)} UTC${took(run, " for ")}` : "";
  const by = [run.run_type?.replaceAll("_", " "), run.user ? `by ${run.user}` : "", run.note].filter(Boolean).join(", ");
  const tries = run.tries.map((one) => element("li", "", [
    logLink(dagId, run.run_id, one.task_id, one.try_number, `${one.task_id}, try ${one.try_number}`),
    element("span", "sub", `${one.state ?? "not begun"}${took(one, " in ")}`),
  ]));
  return element("div", "run", [
    element("p", "", [runLink(dagId, run.run_id), element("span", "sub", `${run.state}${times}${by ? `; ${by}` : ""}`)]),
    element("ul", "tries", tries),
  ]);
}

function took({ started, ended }, word) {
  return started && ended ? word + duration((new Date(ended) - new Date(started)) / 1000) : "";
}

function section(title, content) {
  return element("section", "", [element("h3", "", title), ...content]);
}
