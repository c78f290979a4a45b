// What is above and below the table: incidents, datasets, Airflow's components.
import { element } from "./dom.js";
import { age, batchName, count } from "./format.js";
import { datasetLink, link } from "./links.js";
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

/** How much longer a dataset is fresh, or since when it is stale. */
function freshness({ stale_at: at, stale }, now) {
  const hours = Math.abs(new Date(at) - new Date(now)) / 3_600_000;
  return stale ? `stale for ${age(hours)}` : `fresh for another ${age(hours)}`;
}

/** A card for each dataset: which session its newest batch is of, or how old it is, and how long it is fresh. */
export function renderDatasets(parent, datasets, now) {
  parent.replaceChildren(...datasets.map((dataset) => {
    const never = dataset.age_hours === null;
    const words = never ? "never published" : dataset.session?.text ?? `${age(dataset.age_hours)} old`;
    const until = dataset.stale_at === null ? `fresh for ${age(dataset.fresh_for_hours)}` : freshness(dataset, now);
    const meter = element("span", "meter", [element("i")]);
    meter.setAttribute("aria-hidden", "true");
    const [from, to] = [new Date(dataset.published), new Date(dataset.stale_at)];
    meter.style.setProperty("--part", never ? 1 : Math.min(1, (new Date(now) - from) / (to - from)));
    const card = element("article", `dataset ${dataset.stale ? "stale" : "fresh"}`, [
      element("h2", "", [element("span", "", [datasetLink(dataset)]), element("span", `freshness ${dataset.stale ? "warn" : "good"}`, dataset.stale ? "Stale" : "Fresh")]),
      element("p", "figure", `${words}, ${until}`),
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
export function summary(batches, days, session) {
  if (!batches.length) return `No batch in the last ${count(days, "day")}`;
  const open = batches.filter((batch) => !batch.settled).length;
  const newest = batches[0];
  const grades = session ? `Grades of ${session.text}${session.news ? ` (${session.news})` : ""}. ` : "";
  return `${grades}Newest batch ${batchName(newest.batch).join(" ")}: ${newest.where}. ` +
    (open ? `${open} of ${count(batches.length, "batch", "batches")} ${open === 1 ? "is" : "are"} not complete.` : "All batches are complete.");
}
