// Links to Airflow's own pages.
import { runPath, uiAddress } from "./api.js";
import { element } from "./dom.js";

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
