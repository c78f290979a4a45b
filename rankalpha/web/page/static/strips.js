// What is above and below the table: incidents, datasets, Airflow's components.
import { element } from "./dom.js";
import { age, batchName, count } from "./format.js";
import { link } from "./links.js";
import { CROSS, PASSED, WARNING, icon } from "./states.js";

const SILENT_SECONDS = 120; // as in rankalpha.health.diagnosis

/** What needs a person; one calm line when there is nothing. */
export function renderIncidents(parent, incidents) {
  if (!incidents.length) {
    const calm = element("span", "", "Nothing needs a person.");
    parent.replaceChildren(element("p", "calm", [icon(PASSED), calm]));
    return;
  }
  parent.replaceChildren(...incidents.map(({ subject, text }) =>
    element("article", "incident", [icon(WARNING), element("div", "", [element("h2", "", subject), advice(text)])])));
}

/** The text of an incident; the runbook's address is a link where it is one. */
function advice(text) {
  const made = element("p");
  for (const line of text.split("\n")) {
    const [, address] = /^Runbook: (https?:.*)$/.exec(line) ?? [];
    made.append(...(address ? ["Runbook: ", link(address, address)] : [line]), "\n");
  }
  return made;
}

/** A card for each dataset: how old its newest batch is, and how old it may be. */
export function renderDatasets(parent, datasets) {
  parent.replaceChildren(...datasets.map((dataset) => {
    const never = dataset.age_hours === null;
    const words = never ? "never published" : `${age(dataset.age_hours)} old`;
    const meter = element("span", "meter", [element("i")]);
    meter.setAttribute("aria-hidden", "true");
    meter.style.setProperty("--part", never ? 1 : Math.min(1, dataset.age_hours / dataset.fresh_for_hours));
    const card = element("article", `dataset ${dataset.stale ? "stale" : "fresh"}`, [
      element("h2", "", [element("span", "", dataset.name), element("span", `freshness ${dataset.stale ? "warn" : "good"}`, dataset.stale ? "Stale" : "Fresh")]),
      element("p", "figure", `${words}, fresh for ${age(dataset.fresh_for_hours)}`),
      meter,
      element("p", "sub", dataset.newest_batch ? `Batch ${batchName(dataset.newest_batch).join(" ")}` : "No batch yet"),
    ]);
    card.title = `${dataset.description}. Owner: ${dataset.owner}`;
    return card;
  }));
}

/** Which of Airflow's components send a heartbeat. */
export function renderComponents(parent, components, now) {
  parent.replaceChildren("Airflow: ", ...Object.entries(components).map(([name, beat]) => {
    const silent = beat === null || (new Date(now) - new Date(beat)) / 1000 > SILENT_SECONDS;
    const made = element("span", `component ${silent ? "bad" : "good"}`, [
      icon(silent ? CROSS : PASSED),
      element("span", "", `${name.replace("_", " ")} ${silent ? "sends no heartbeat" : "alive"}`),
    ]);
    return made;
  }));
}

/** The state of all batches in a sentence or two. */
export function summary(batches, days) {
  if (!batches.length) return `No batch in the last ${count(days, "day")}`;
  const open = batches.filter((batch) => !batch.settled).length;
  const newest = batches[0];
  return `Newest batch ${batchName(newest.batch).join(" ")}: ${newest.where}. ` +
    (open ? `${open} of ${count(batches.length, "batch", "batches")} ${open === 1 ? "is" : "are"} not complete.` : "All batches are complete.");
}
