// The tables and lists of the panel.
import { element, facts } from "./dom.js";
import { bytes, duration, moment, number } from "./format.js";
import { logLink, runLink } from "./links.js";
import { WARNING, icon } from "./states.js";

const PASSED = [["path", { d: "m3.5 8.4 3 3 6-6.8" }]];
const CROSS = [["path", { d: "m4 4 8 8M12 4l-8 8" }]];

/** The checks of a dataset's contract: what was found, what was expected, and what came of it. */
export function checksTable(checks) {
  const head = element("tr", "", ["Check", "Found", "Expected", "Outcome"].map((name) => {
    const made = element("th", "", name);
    made.scope = "col";
    return made;
  }));
  const rows = [...checks].sort((a, b) => Number(a.passed) - Number(b.passed)).map((check) => {
    const [tone, word, sign] = check.passed ? ["good", "passed", PASSED] : check.severity === "block" ? ["bad", "blocks", CROSS] : ["warn", "warns", WARNING];
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
    content.push(facts([[`Read ${input.dataset}`, `batch ${input.batch}, published ${moment(input.published)} UTC`], ["Checksum", checksum(input)]]));
  }
  if (step.output) content.push(facts([[`Published ${step.output.dataset}`, `${moment(step.output.published)} UTC`], ["Checksum", checksum(step.output)]]));
  content.push(...step.runs.map((run) => runPart(step.dag_id, run)));
  if (!content.length) content.push(element("p", "sub", "No run yet"));
  return section(named ? step.step : "Lineage", content);
}

function checksum(event) {
  return event.checksum ? element("code", "", event.checksum) : null;
}

function runPart(dagId, run) {
  const times = run.started ? `, ${moment(run.started)} UTC${run.ended ? ` for ${duration((new Date(run.ended) - new Date(run.started)) / 1000)}` : ""}` : "";
  const by = [run.run_type, run.triggered_by].filter(Boolean).join(", ").replaceAll("_", " ");
  const tries = run.tries.map((one) => element("li", "", [
    logLink(dagId, run.run_id, one.task_id, one.try_number, `${one.task_id}, try ${one.try_number}`),
    element("span", "sub", `${one.state ?? "not begun"}${one.started && one.ended ? ` in ${duration((new Date(one.ended) - new Date(one.started)) / 1000)}` : ""}`),
  ]));
  return element("div", "run", [
    element("p", "", [runLink(dagId, run.run_id), element("span", "sub", `${run.state}${times}${by ? `; ${by}` : ""}`)]),
    element("ul", "tries", tries),
  ]);
}

function section(title, content) {
  return element("section", "", [element("h3", "", title), ...content]);
}
