// What stands in the place of the ranking, or above it, when something is missing.
import { byId } from "./dom.js";
import { moment, sentence } from "./format.js";

export const RETRY_SECONDS = 15;

/** Say why there is no ranking; `leave` is the text of a link to the newest ranking of the default market. */
export function showState(title, text, { retry = false, leave = "" } = {}) {
  for (const id of ["ranking", "record", "tabs", "note", "banner", "problem"]) byId(id).hidden = true;
  byId("facts").textContent = "";
  byId("state-title").textContent = title;
  byId("state-text").textContent = text;
  byId("retry").hidden = !retry;
  byId("leave").hidden = !leave;
  byId("leave").textContent = leave;
  byId("state").hidden = false;
}

export function hideState() {
  byId("state").hidden = true;
  byId("banner").hidden = true;
}

/** Say that the service is down; a ranking that was loaded stays. */
export function showDown(reason, shown) {
  const again = `Loading again every ${RETRY_SECONDS} seconds.`;
  if (!shown) return showState("Grading service unavailable", `${sentence(reason)} ${again}`, { retry: true });
  byId("banner").textContent = `The ranking below is the last one loaded. ${sentence(reason)} ${again}`;
  byId("banner").hidden = false;
}

/** Say that there are no grades: of the batch, of the market, or at all. */
export function showEmpty({ batch, market }, batches = []) {
  if (batches.some((each) => each.batch === batch)) {
    const text = `The files of batch ${named(batch)} were removed. The record keeps its grades: choose it in “Compare with”, or open a symbol's history.`;
    return showState("This batch was removed", text, { leave: "Show the newest batch" });
  }
  if (batch) return showState("No such batch", `Batch ${named(batch)} is not graded${market ? ` in the market “${market}”` : ""}.`, { leave: "Show the newest batch" });
  const of = market ? ` of the market “${market}”` : "";
  showState("No batch graded yet", `The first ranking${of} appears here by itself, as soon as a batch has been graded.`, { leave: market ? "Show the default market" : "" });
}

/** Say which part of the address the API refuses. */
export function showRefused({ batch, market }, body) {
  const faults = Array.isArray(body?.detail) ? body.detail : Array.isArray(body?.errors) ? body.errors : [];
  if (batch && faults.some((fault) => fault.loc?.includes("batch"))) {
    return showState("No such batch", `“${batch}” is not a batch key; expected a UTC time such as 2026-11-22T06:00:00.`, { leave: "Show the newest batch" });
  }
  showState("No such market", `There is no market “${market}”.`, { leave: "Show the default market" });
}

function named(batch) {
  return Number.isNaN(Date.parse(`${batch}Z`)) ? `“${batch}”` : moment(batch);
}

/** Say that something beside the ranking cannot be shown, while there is a ranking; no error hides it again. */
export function showProblem(error = null) {
  byId("problem").textContent = error ? `Not everything can be shown. ${sentence(error.message)}` : "";
  byId("problem").hidden = !error || !byId("state").hidden;
}
