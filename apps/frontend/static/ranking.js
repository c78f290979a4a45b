// Loads the ranking, keeps it current, and wires the controls.
import { COLUMNS, lateness, renderHead, renderRows } from "./table.js";
import { renderDistribution, renderFacts, renderMethod } from "./summary.js";

const RETRY_SECONDS = 15;
const FACTS_SECONDS = 60; // a session may close while the page is open
const MARKET = new URLSearchParams(location.search).get("market"); // null: the default one
const ADDRESS = MARKET ? `/api/ranking?market=${encodeURIComponent(MARKET)}` : "/api/ranking";
const byId = (id) => document.getElementById(id);
const view = { ranking: null, sort: "rank", descending: false, filter: "", grade: null };
let retryTimer;

/** Fetch the newest ranking and show it, or say why there is none. */
async function load() {
  clearTimeout(retryTimer);
  let response, body;
  try {
    response = await fetch(ADDRESS, { headers: { Accept: "application/json" } });
    body = await response.json();
  } catch {
    return showDown("This page's own server does not answer.");
  }
  if (response.ok) return showRanking(body);
  if (response.status === 404) return showEmpty();
  if (response.status === 422) return showState("No such market", `There is no market “${MARKET}”.`, false);
  showDown(body.detail ?? `The server answered ${response.status}.`);
}

function showRanking(ranking) {
  const changed = changedSymbols(view.ranking, ranking);
  for (const row of ranking.grades) row.late = lateness(row, ranking.as_of);
  view.ranking = ranking;
  if (!ranking.grades.some((row) => row.grade === view.grade)) view.grade = null;
  byId("state").hidden = true;
  byId("banner").hidden = true;
  byId("ranking").hidden = false;
  renderFacts(byId("facts"), byId("note"), ranking);
  renderMethod(byId("method"), ranking);
  draw(changed);
}

/** Symbols that stand elsewhere than before; none on the first load. */
function changedSymbols(before, after) {
  if (!before) return new Set();
  const standing = (row) => `${row.rank} ${row.grade} ${row.composite}`;
  const old = new Map(before.grades.map((row) => [row.symbol, standing(row)]));
  return new Set(after.grades.filter((row) => old.get(row.symbol) !== standing(row)).map((row) => row.symbol));
}

function draw(changed = new Set()) {
  const column = COLUMNS.find((each) => each.key === view.sort);
  const direction = view.descending ? -1 : 1;
  const wanted = view.filter.trim().toUpperCase();
  const rows = view.ranking.grades
    .filter((row) => row.symbol.toUpperCase().includes(wanted) && (!view.grade || row.grade === view.grade))
    .sort((a, b) => compare(column.value(a), column.value(b), direction) || a.rank - b.rank);
  renderDistribution(byId("distribution"), view.ranking.grades, view.grade, chooseGrade);
  renderHead(byId("columns"), view, sortBy);
  renderRows(byId("rows"), rows, changed);
  byId("sort").value = view.sort;
  byId("nothing").hidden = rows.length > 0;
  const total = view.ranking.grades.length;
  byId("count").textContent = rows.length === total ? `${total} symbols` : `${rows.length} of ${total} symbols`;
}

/** Order two values; what is missing comes last in either direction. */
function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "string") return direction * a.localeCompare(b, "en");
  return direction * (a - b);
}

function sortBy(key) {
  const column = COLUMNS.find((each) => each.key === key);
  view.descending = key === view.sort ? !view.descending : Boolean(column.bestFirst);
  view.sort = key;
  draw();
}

function chooseGrade(grade) {
  view.grade = view.grade === grade ? null : grade;
  draw();
}

function showEmpty() {
  view.ranking = null;
  showState("No batch graded yet", "The first ranking appears here by itself, as soon as a batch has been graded.", false);
}

function showDown(reason) {
  retryTimer = setTimeout(load, RETRY_SECONDS * 1000);
  if (view.ranking) {
    byId("banner").textContent = `The ranking below is the last one loaded. ${sentence(reason)} Trying again every ${RETRY_SECONDS} seconds.`;
    byId("banner").hidden = false;
    return;
  }
  showState("Grading service unavailable", `${sentence(reason)} Trying again every ${RETRY_SECONDS} seconds.`, true);
}

function sentence(text) {
  const trimmed = text.trim().replace(/\.?$/, ".");
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
}

function showState(title, text, retry) {
  byId("ranking").hidden = true;
  byId("note").hidden = true;
  byId("banner").hidden = true;
  byId("facts").textContent = "";
  byId("state-title").textContent = title;
  byId("state-text").textContent = text;
  byId("retry").hidden = !retry;
  byId("state").hidden = false;
}

/** Listen for refresh events. What was missed while the line was down is made up for by loading on reopening. */
function listen() {
  const source = new EventSource("/api/events");
  const tell = (state, text) => {
    byId("live").dataset.state = state;
    byId("live").querySelector("span").textContent = text;
  };
  source.addEventListener("open", () => { tell("live", "Live"); load(); });
  source.addEventListener("refresh", load);
  source.addEventListener("error", () => {
    tell("lost", "Reconnecting");
    if (!view.ranking && byId("state").hidden) load();
  });
}

if (MARKET) document.querySelector("h1").textContent += ` of ${MARKET}`;
byId("filter").addEventListener("input", (event) => { view.filter = event.target.value; draw(); });
byId("clear").addEventListener("click", () => { byId("filter").value = view.filter = ""; view.grade = null; draw(); });
byId("retry").addEventListener("click", load);
byId("sort").append(...COLUMNS.map((column) => new Option(column.label, column.key)));
byId("sort").addEventListener("change", (event) => sortBy(event.target.value));
listen();
setInterval(() => view.ranking && renderFacts(byId("facts"), byId("note"), view.ranking), FACTS_SECONDS * 1000);
