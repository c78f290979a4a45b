// Links to Airflow's own pages.
import { runPath, uiAddress } from "./api.js";
import { element } from "./dom.js";

const LOOPBACK = ["localhost", "127.0.0.1"];

/** A link to a page of Airflow's UI, by its path. */
export function link(text, path) {
  const made = element("a", "", text);
  made.href = uiAddress(path);
  made.target = "_top";
  if (parent !== window) for (const event of ["click", "auxclick"]) made.addEventListener(event, leave);
  return made;
}

export function runLink(dagId, runId, text = runId) {
  return link(text, runPath(dagId, runId));
}

export function dagLink(dagId, text = dagId) {
  return link(text, `dags/${encodeURIComponent(dagId)}`);
}

/** A link to the page of a dataset, which is an asset of Airflow. */
export function datasetLink({ name, asset_id: id }) {
  return link(name, `assets/${id}`);
}

/** A link to the ranking page, which is none of Airflow's. An address of the server's own machine counts as the host of this page. */
export function rankingLink(text, address, market, batch) {
  const url = new URL(address);
  if (LOOPBACK.includes(url.hostname)) url.hostname = location.hostname;
  if (market) url.searchParams.set("market", market);
  if (batch) url.searchParams.set("batch", batch);
  return link(text, url.href.replaceAll("%3A", ":"));
}

export function logLink(dagId, runId, taskId, tryNumber, text) {
  return link(text, runPath(dagId, runId, taskId, tryNumber));
}

/** Airflow's frame is a sandbox that no link of the page can leave; a link of the outer document can. */
function leave(event) {
  if (event.button > 1) return;
  event.preventDefault();
  const outer = parent.document.createElement("a");
  outer.href = event.currentTarget.href;
  if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey) {
    outer.target = "_blank";
    outer.rel = "noopener";
  }
  outer.click();
}
