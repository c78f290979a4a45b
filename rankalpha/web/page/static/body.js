// The upper part of the panel: of a step its state and figures, of a whole batch its graph and what it can be compared with.
import { element, facts } from "./dom.js";
import { count, duration, moment, number } from "./format.js";
import { graph } from "./graph.js";
import { dagLink, datasetLink, rankingLink, runLink } from "./links.js";
import { checksTable } from "./parts.js";
import { stateMark } from "./states.js";

/** Of a whole batch: where it is, its session, whether it brought anything new, its graph, and what else one can see of it. */
export function batchBody(batch, others, { ranking, market }, open) {
  const { where, session, news } = batch;
  const lines = [`Where it is: ${where}.`, session ? `Prices: ${session.text}.` : "", news ? `News: ${news}.` : ""];
  const graded = ranking && batch.grades ? element("p", "", [rankingLink("Ranking of this batch", ranking, market, batch.batch)]) : null;
  return [
    ...lines.filter(Boolean).map((line) => element("p", "", line)),
    graph(batch, open.step, true),
    graded,
    others.length ? comparedWith(others, open.compared) : null,
  ].filter((part) => part !== null);
}

/** The choice of the batch to compare with. */
function comparedWith(others, compared) {
  const select = element("select", "", [new Option("Choose a batch", ""), ...others.map((key) => new Option(key, key))]);
  select.addEventListener("change", () => select.value && compared(select.value));
  return element("label", "compare", ["Compare with ", select]);
}

function spending({ tokens, dollars }) {
  return count(tokens, "token") + (dollars === null ? "" : `, $${dollars.toFixed(4)}`);
}

/** Of a blocked step the figures and checks of what is blocked, else of what was published last. */
export function stepBody(step, datasets) {
  const seen = step.held ?? step;
  const earlier = !step.held && step.state !== "done" && step.published; // its figures are not of this run
  const run = step.run_id ? runLink(step.dag_id, step.run_id) : null;
  const since = step.since ? element("span", "sub", `since ${moment(step.since)} UTC`) : null;
  const state = element("p", "standing", [stateMark(step.state), since]);
  const dataset = datasets.find((one) => one.step === step.step);
  const list = facts([
    ["Took", step.seconds === null ? null : duration(step.seconds)],
    ["Run", run],
    ["DAG", dagLink(step.dag_id)],
    ["Dataset", dataset ? datasetLink(dataset) : null],
    ["Published before", earlier ? `${moment(step.published)} UTC` : null],
    ["Rows", seen.rows === null ? null : number(seen.rows)],
    ["Made for", step.reused_from && !step.held ? `batch ${step.reused_from}, with the same inputs; no container ran` : null],
    ["Symbols", seen.symbols === null ? null : number(seen.symbols)],
    ["As of", seen.as_of],
    ["Model", seen.spent ? spending(seen.spent) : null],
  ]);
  const forced = step.forced && !step.held ? element("p", "forced", `Published anyway by ${step.forced.by}: ${step.forced.reason}`) : null;
  return [state, forced, list, seen.checks.length ? checksTable(seen.checks) : null].filter((part) => part !== null);
}
