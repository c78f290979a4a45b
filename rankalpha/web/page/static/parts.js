// The tables and lists of the panel.
import { element, facts } from "./dom.js";
import { bytes, duration, moment, number } from "./format.js";
import { logLink, runLink } from "./links.js";
import { CROSS, PASSED, WARNING, icon } from "./states.js";

const UNCHECKED = [["path", { d: "M4 8h8" }]];
const OUTCOMES = {
  BLOCKS: ["bad", "blocks", CROSS],
  WARNING: ["warn", "warns", WARNING],
  "not checked": ["idle", "not checked", UNCHECKED],
  passed: ["good", "passed", PASSED],
};

/** The checks of a dataset's contract: the value, what was expected, and the outcome. */
export function checksTable(checks) {
  const head = element("tr", "", ["Check", "Value", "Expected", "Outcome"].map((name) => {
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

/** The tone, word and sign of a check's verdict, which is the server's, as in the log. */
function outcome({ verdict }) {
  return OUTCOMES[verdict] ?? ["idle", verdict, UNCHECKED];
}

/** The stage's container and what it used. */
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

/** The lineage of a step of a batch: what it read, what it published, and each run and attempt. */
export function lineagePart(step, named) {
  const content = [];
  for (const input of step.inputs) {
    const when = input.published ? `published ${moment(input.published)} UTC` : "not published now";
    content.push(facts([[`Read ${input.dataset}`, `batch ${input.batch}, ${when}`], ["Checksum", checksum(input)], ["Version", version(input)]]));
  }
  if (step.output) {
    const { dataset, published, session, reused_from: reused, carried_over_from: carried } = step.output;
    content.push(facts([
      [`Published ${dataset}`, `${moment(published)} UTC`],
      ["Session", session?.text ?? null],
      ["Made for", reused ? `batch ${reused}, with the same inputs; no container ran` : null],
      ["Carried over", carried ? `from batch ${carried}; nothing was new` : null],
      ["Checksum", checksum(step.output)],
      ["Version", version(step.output)],
    ]));
  }
  content.push(...step.runs.map((run) => runPart(step.dag_id, run)));
  if (!content.length) content.push(element("p", "sub", "No run yet"));
  return section(named ? step.step : "Lineage", content);
}

function checksum(event) {
  return event.checksum ? element("code", "", event.checksum) : null;
}

function version(event) {
  return event.version ? element("code", "", event.version.path) : null;
}

function runPart(dagId, run) {
  const times = run.started ? `, ${moment(run.started)} UTC${took(run, " for ")}` : "";
  const by = [run.run_type?.replaceAll("_", " "), run.user ? `by ${run.user}` : "", run.note].filter(Boolean).join(", ");
  const attempts = run.tries.map((attempt) => element("li", "", [
    attemptName(dagId, run.run_id, attempt),
    element("span", "sub", `${attempt.state ?? "not started"}${took(attempt, " in ")}`),
  ]));
  return element("div", "run", [
    element("p", "", [runLink(dagId, run.run_id), element("span", "sub", `${run.state}${times}${by ? `; ${by}` : ""}`)]),
    element("ul", "tries", attempts),
  ]);
}

/** The name of an attempt as a link to its log; a task that was never queued has neither attempt nor log. */
function attemptName(dagId, runId, { task_id: taskId, try_number: number }) {
  return number ? logLink(dagId, runId, taskId, number, `${taskId}, attempt ${number}`) : element("span", "", taskId);
}

function took({ started, ended }, word) {
  return started && ended ? word + duration((new Date(ended) - new Date(started)) / 1000) : "";
}

function section(title, content) {
  return element("section", "", [element("h3", "", title), ...content]);
}
