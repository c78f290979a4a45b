// The page: loads the ranking, keeps it current, and shows what its address says.
import { COLUMNS, LETTERS, columnOf } from "./columns.js";
import { showComparison } from "./compare.js";
import { wire } from "./controls.js";
import { askedBy, data, sectorsOf } from "./data.js";
import { byId } from "./dom.js";
import { rowsOf, showFilters } from "./filters.js";
import { counted } from "./format.js";
import { renderHead, renderMeanings } from "./head.js";
import { listen } from "./live.js";
import { Loader } from "./loader.js";
import { hideState, showProblem } from "./notices.js";
import { Panel } from "./panel.js";
import { showMarkets, showPickers } from "./picker.js";
import { address, read, write } from "./place.js";
import { showRecord } from "./record.js";
import { Rows } from "./rows.js";
import { Sparklines } from "./sparklines.js";
import { renderDistribution, renderFacts, renderMethod } from "./summary.js";

const FACTS_SECONDS = 60; // a session may close while the page is open
const LIT_SECONDS = 3; // as long as changed rows light up
const place = read();
const sparklines = new Sparklines((symbols) => (usesTrend() ? draw() : rows.update(symbols, columnOf("trend"))));
const rows = new Rows(byId("table"), (drawn) => sparklines.want(drawn));
const panel = new Panel({ turn, closed: leavePanel });
const loader = new Loader(place, { loaded: showRanking, moved: draw, refused: () => showMarkets(place, data.markets) });
const load = () => loader.load();

function showRanking() {
  const { ranking } = data;
  hideState();
  sparklines.begin(ranking, place);
  renderFacts(byId("facts"), byId("note"), ranking);
  renderMethod(byId("method"), ranking);
  draw();
  setTimeout(() => { data.changed = new Set(); }, LIT_SECONDS * 1000);
}

/** Show what the place says of the ranking that is loaded. */
function draw() {
  const { ranking } = data;
  drawNames();
  showMarkets(place, data.markets);
  if (!ranking || data.of !== askedBy(place)) return;
  byId("ranking").hidden = place.view === "record";
  showRecord(data.record, place, address, data.full);
  if (usesTrend() && sparklines.lacking) sparklines.all().catch(showProblem);
  const columns = COLUMNS.filter((column) => !column.optional || data.changes);
  rows.table.dataset.columns = columns.length;
  renderDistribution(byId("distribution"), ranking.grades, place.grades, chooseGrade);
  renderHead(byId("columns"), columns, place, sortBy);
  renderMeanings(byId("meanings"), columns);
  showFilters(place, sectorsOf(ranking));
  showPickers(place, data.batches, ranking.batch);
  showComparison(place.compare ? data.changes : null);
  rows.show(rowsOf(ranking.grades, place), columns, data.changed);
  const total = ranking.grades.length;
  byId("sort").value = place.sort;
  byId("nothing").hidden = rows.rows.length > 0;
  const some = rows.rows.length === total ? "" : `${rows.rows.length.toLocaleString("en")} of `;
  byId("count").textContent = some + counted(total, "symbol");
  drawPanel();
}

/** Name the page by what it shows, for its heading, the browser's history and bookmarks. */
function drawNames() {
  const about = (place.view === "record" ? "Record of the grades" : "Stock ranking") + (place.market ? ` of ${place.market}` : "");
  byId("heading").textContent = about;
  document.title = [place.symbol, about, "RankAlpha"].filter(Boolean).join(" · ");
}

function drawPanel() {
  if (!place.symbol) return panel.close();
  const { ranking } = data;
  const row = ranking.grades.find((each) => each.symbol === place.symbol) ?? ranking.grades.find((each) => each.symbol === place.symbol.toUpperCase());
  const asked = { batch: ranking.batch, market: place.market, full: data.full, total: ranking.grades.length };
  panel.open(row?.symbol ?? place.symbol, row ?? null, asked);
}

function usesTrend() {
  return place.sort === "trend" || "trend" in place.ranges;
}

/** Go to another place; `step` is one that the back button leads back from, null leaves the address as it is. */
function go(changed, step = true) {
  const before = { ...place };
  Object.assign(place, changed);
  if (step !== null) write(place, step);
  arrive(before);
}

/** Show the place that the address has become. */
function arrive(before) {
  if (askedBy(before) !== askedBy(place)) {
    byId("facts").textContent = "Loading…";
    draw();
    load();
  } else if (before.compare !== place.compare) {
    showProblem();
    draw();
    loader.moves();
  } else draw();
}

function sortBy(key) {
  go({ descending: key === place.sort ? !place.descending : Boolean(columnOf(key).bestFirst), sort: key });
}

function chooseGrade(grade) {
  go({ grades: LETTERS.filter((each) => place.grades.includes(each) !== (each === grade)) });
}

/** Show the symbol above or below in the table; the back button still leads to the table. */
function turn(by) {
  const next = rows.rows[rows.rows.findIndex((row) => row.symbol === panel.symbol) + by];
  if (next) go({ symbol: next.symbol }, false);
}

/** Go back to the table, where the panel was opened from it. */
function leavePanel() {
  const { symbol } = panel;
  if (place.symbol) {
    place.symbol = "";
    if (history.state?.opened) history.back();
    else write(place, false);
  }
  if (document.activeElement === document.body) rows.focus(rows.rows.findIndex((row) => row.symbol === symbol));
}

byId("sort").append(...COLUMNS.filter((column) => !column.optional).map((column) => new Option(column.label, column.key)));
wire({ place, rows, go, load, sortBy });
addEventListener("popstate", () => {
  const before = { ...place };
  Object.assign(place, read());
  arrive(before);
});
draw();
listen({ opened: load, refreshed: load, lost: () => { if (!data.ranking && byId("state").hidden) load(); } });
setInterval(() => {
  if (data.ranking && data.of === askedBy(place)) renderFacts(byId("facts"), byId("note"), data.ranking);
  loader.record();
}, FACTS_SECONDS * 1000);
