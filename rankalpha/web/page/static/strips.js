// What stands above and below the table: incidents, datasets, Airflow's components.
import { element } from "./dom.js";
import { age, batchName, count } from "./format.js";
import { CROSS, PASSED, WARNING, icon } from "./states.js";

const SILENT_SECONDS = 120; // as the watchdog has it

/** What the watchdog says needs a person; one calm line when there is nothing. */
export function renderIncidents(parent, incidents) {
  if (!incidents.length) {
    const calm = element("span", "", "The watchdog sees nothing that needs a person.");
    parent.replaceChildren(element("p", "calm", [icon(PASSED), calm]));
    return;
  }
  parent.replaceChildren(...incidents.map((one) =>
    element("article", "incident", [icon(WARNING), element("div", "", [element("h2", "", one.subject), element("p", "", one.text)])])));
}

/** A card a dataset: how old the newest batch is, against how old it may be. */
export function renderDatasets(parent, datasets) {
  parent.replaceChildren(...datasets.map((one) => {
    const never = one.age_hours === null;
    const words = never ? "never published" : `${age(one.age_hours)} old`;
    const meter = element("span", "meter", [element("i")]);
    meter.setAttribute("aria-hidden", "true");
    meter.style.setProperty("--part", never ? 1 : Math.min(1, one.age_hours / one.fresh_for_hours));
    const card = element("article", `dataset ${one.stale ? "stale" : "fresh"}`, [
      element("h2", "", [element("span", "", one.name), element("span", `freshness ${one.stale ? "warn" : "good"}`, one.stale ? "Stale" : "Fresh")]),
      element("p", "figure", `${words}, fresh for ${age(one.fresh_for_hours)}`),
      meter,
      element("p", "sub", one.newest_batch ? `Batch ${batchName(one.newest_batch).join(" ")}` : "No batch yet"),
    ]);
    card.title = `${one.description}. Owner: ${one.owner}`;
    return card;
  }));
}

/** Which of Airflow's components give a heartbeat. */
export function renderComponents(parent, components, now) {
  parent.replaceChildren("Airflow: ", ...Object.entries(components).map(([name, beat]) => {
    const silent = beat === null || (new Date(now) - new Date(beat)) / 1000 > SILENT_SECONDS;
    const made = element("span", `component ${silent ? "bad" : "good"}`, [
      icon(silent ? CROSS : PASSED),
      element("span", "", `${name.replace("_", " ")} ${silent ? "gives no heartbeat" : "alive"}`),
    ]);
    return made;
  }));
}

/** The whole in one sentence. */
export function summary(batches, days) {
  if (!batches.length) return `No batch in the last ${count(days, "day")}`;
  const open = batches.filter((batch) => !batch.settled).length;
  const newest = batches[0];
  return `Newest batch ${batchName(newest.batch).join(" ")}: ${newest.where}. ` +
    (open ? `${open} of ${batches.length} not settled.` : `All of ${batches.length} settled.`);
}
