// What a person does with the controls, the rows and the keys.
import { download } from "./csv.js";
import { data } from "./data.js";
import { byId } from "./dom.js";
import { makeRanges } from "./filters.js";
import { write } from "./place.js";

const WRITE_MILLISECONDS = 250; // browsers refuse an address that changes with each key
const FIRST = { filter: "", grades: [], sector: "", ranges: {} };
let typing;

/** Connect the controls with the page. */
export function wire(page) {
  const { go } = page;
  byId("filter").addEventListener("input", (event) => type(page, { filter: event.target.value }));
  makeRanges((ranges) => type(page, { ranges }));
  byId("sector").addEventListener("change", (event) => go({ sector: event.target.value }));
  byId("clear").addEventListener("click", () => { go(FIRST); byId("filter").focus(); });
  byId("clear-filters").addEventListener("click", () => go(FIRST));
  byId("retry").addEventListener("click", page.load);
  byId("leave").addEventListener("click", () => go(page.place.batch ? { batch: "" } : { ...FIRST, market: "", compare: "", symbol: "" }));
  byId("sort").addEventListener("change", (event) => page.sortBy(event.target.value));
  byId("batch").addEventListener("change", (event) => go({ batch: event.target.value, compare: "", symbol: "" }));
  byId("compare").addEventListener("change", (event) => go({ compare: event.target.value }));
  byId("market").addEventListener("change", (event) => go({ market: event.target.value, batch: "", compare: "", sector: "", symbol: "" }));
  byId("csv").addEventListener("click", () => download(page.rows.rows, `ranking${page.place.market ? `-${page.place.market}` : ""}-${data.ranking.batch}.csv`));
  document.addEventListener("click", (event) => click(page, event));
  document.addEventListener("keydown", (event) => key(page, event));
}

/** Draw at once what is typed, and write it to the address when the typing pauses. */
function type({ place, go }, changed) {
  clearTimeout(typing);
  go(changed, null);
  typing = setTimeout(() => write(place, false), WRITE_MILLISECONDS);
}

/** Open the symbol that was clicked, by its link or anywhere in its row; a tab changes the view. */
function click({ go }, event) {
  const sheet = byId("filters");
  if (sheet.open && !sheet.contains(event.target)) sheet.open = false;
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const tab = event.target.closest("#tabs a");
  const opens = event.target.closest("a.open");
  const row = event.target.closest("#rows tr");
  if (tab) go({ view: tab.id === "tab-record" ? "record" : "", symbol: "" });
  else if (opens) go({ symbol: decodeURIComponent(opens.hash.slice(1)) });
  else if (row && !String(getSelection())) go({ symbol: row.dataset.symbol });
  else return;
  event.preventDefault();
}

/** `/` goes to the search, the arrows from row to row, Escape closes the filters. */
function key({ rows }, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("panel").open) return;
  const writes = event.target.closest("input, select, textarea");
  const row = event.target.closest("#rows tr");
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
  if (event.key === "/" && !writes && !byId("ranking").hidden) byId("filter").focus();
  else if (event.key === "Escape" && byId("filters").open) { byId("filters").open = false; byId("filters").firstElementChild.focus(); }
  else if (moves && row) rows.focus(Number(row.dataset.index) + moves);
  else if (event.key === "ArrowDown" && event.target.id === "filter") rows.focus(0);
  else return;
  event.preventDefault();
}
