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

/** What a run's publishing task refused, {task, checks, container, try, publishes}; null when nothing is held back. */
export async function blocked(dagId, runId) {
  const run = apiRun(dagId, runId);
  const { xcom_entries: entries } = await ask(`${run}/taskInstances/~/xcomEntries?xcom_key_pattern=quarantine`);
  const entry = entries.find(({ key }) => key === "quarantine");
  if (!entry) return null;
  const task = `${run}/taskInstances/${encodeURIComponent(entry.task_id)}`;
  const [{ value }, instance, { conf }] = await Promise.all([`${task}/xcomEntries/quarantine`, task, run].map((path) => ask(path)));
  if (instance.state !== "failed") return null; // the task runs again
  return { ...value, task: entry.task_id, try: instance.try_number, publishes: conf?.publish ?? true };
}

/** Start a new run of a DAG for a batch; return its id. */
export async function rerun(dagId, batch, publish, step) {
  const note = `re-run from ${step}${publish ? "" : ", publishing nothing"}`;
  const body = { logical_date: null, partition_key: batch, conf: { publish }, note };
  return (await ask(`api/v2/dags/${encodeURIComponent(dagId)}/dagRuns`, body)).dag_run_id;
}

/** Let the next attempt of a blocked publication publish, on record; see rankalpha.contract.quarantine. */
export async function publishAnyway(dagId, runId, held, by, reason) {
  const { tasks } = await ask(`api/v2/dags/${encodeURIComponent(dagId)}/tasks`);
  const stage = tasks.find((task) => task.downstream_task_ids.includes(held.task)).task_id;
  const entries = `${apiRun(dagId, runId)}/taskInstances/${encodeURIComponent(stage)}/xcomEntries`;
  const value = { by, reason, try: held.try + 1 };
  try {
    await ask(entries, { key: "publish_anyway", value });
  } catch (error) {
    if (error.status !== 409) throw error; // a permission for an earlier attempt is there
    await ask(`${entries}/publish_anyway`, { value }, "PATCH");
  }
  const scope = { dag_run_id: runId, task_ids: [held.task], include_downstream: true };
  const how = { dry_run: false, only_failed: false, reset_dag_runs: true };
  await ask(`api/v2/dags/${encodeURIComponent(dagId)}/clearTaskInstances`, { ...scope, ...how });
}

function apiRun(dagId, runId) {
  return `api/v2/dags/${encodeURIComponent(dagId)}/dagRuns/${encodeURIComponent(runId)}`;
}

/** GET, or with a body POST, as JSON: a form of another site cannot send that, and the cookie would not go with it. */
async function ask(path, body, method = "POST") {
  const sent = body ? { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
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
