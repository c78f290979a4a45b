// Airflow as the signed-in user may use it. All addresses are relative to the page, so a URL prefix changes nothing.
const ROOT = new URL("../../", location.href);
const TIMEOUT = 30_000;

/** Airflow refused, or did not answer: `status` is 0 then. `markets` are all there are, when there is no such market. */
export class Refused extends Error {
  constructor(message, status, markets) {
    super(message);
    this.status = status;
    this.markets = markets;
  }
}

/** The address of a page of Airflow's own UI. */
export function uiAddress(path) {
  return new URL(path, ROOT).href;
}

/** The path of a run, task or log in Airflow's UI. */
export function runPath(dagId, runId, taskId, tryNumber) {
  const task = taskId ? `/tasks/${encodeURIComponent(taskId)}${tryNumber ? `?try_number=${tryNumber}` : ""}` : "";
  return `dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}${task}`;
}

/** The state of a market; an empty name is the first market. */
export function overview(days, market) {
  return ask(`rankalpha/overview?days=${days}${market ? `&market=${encodeURIComponent(market)}` : ""}`);
}

export function lineage(batch, market) {
  return ask(`rankalpha/lineage/${encodeURIComponent(batch)}${market ? `?market=${encodeURIComponent(market)}` : ""}`);
}

/** A variant's newest comparisons with its champion; an empty market is the first. */
export function comparison(variant, market) {
  return ask(`rankalpha/comparison/${encodeURIComponent(variant)}${market ? `?market=${encodeURIComponent(market)}` : ""}`);
}

/** Start a new run of a DAG for a batch; return its id. */
export async function rerun(dagId, batch, publish, step) {
  const note = `re-run from ${step}${publish ? "" : ", publishing nothing"}`;
  const body = { logical_date: null, partition_key: batch, conf: { publish }, note };
  return (await ask(`api/v2/dags/${encodeURIComponent(dagId)}/dagRuns`, body)).dag_run_id;
}

/** Publish a blocked batch once, on record; an empty market is the first. */
export async function publishAnyway(batch, dataset, market, reason) {
  await ask("rankalpha/publish-anyway", { batch, dataset, reason, market: market || null });
}

/** GET, or with a body POST, as JSON: a form of another site cannot send that, and the cookie would not go with it. */
async function ask(path, body) {
  const sent = body ? { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
  let response;
  try {
    response = await fetch(new URL(path, ROOT), { ...sent, redirect: "error", signal: AbortSignal.timeout(TIMEOUT) });
  } catch {
    throw new Refused("Airflow does not answer", 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(reason(answer) || `Airflow answered ${response.status}`, response.status, answer.detail?.markets);
  return answer;
}

function reason({ detail }) {
  if (detail === undefined) return "";
  return typeof detail === "string" ? detail : detail.reason ?? JSON.stringify(detail);
}
