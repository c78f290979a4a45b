// The table: its columns, its sortable head, its rows.
import { change, element, scoreBar, sentimentBar, sparkline } from "./charts.js";

const GRADE_ORDER = "ABCDF";

/** Columns: `value` is what sorting compares, `cell` what the cell shows, `bestFirst` the first direction. */
export const COLUMNS = [
  { key: "rank", label: "Rank", short: "#", value: (row) => row.rank, cell: (row) => element("span", "number", String(row.rank)) },
  { key: "symbol", label: "Symbol", value: (row) => row.symbol, cell: symbolCell },
  { key: "grade", label: "Grade", value: (row) => GRADE_ORDER.indexOf(row.grade), cell: gradeBadge },
  { key: "composite", label: "Composite", bestFirst: true, value: (row) => row.composite, cell: (row) => element("span", "number", row.composite.toFixed(1)) },
  { key: "momentum", label: "Momentum", bestFirst: true, value: (row) => row.momentum, cell: (row) => scoreBar(row.momentum) },
  { key: "value", label: "Value", bestFirst: true, value: (row) => row.value, cell: (row) => scoreBar(row.value) },
  { key: "quality", label: "Quality", bestFirst: true, value: (row) => row.quality, cell: (row) => scoreBar(row.quality) },
  { key: "sentiment", label: "Sentiment", bestFirst: true, value: (row) => row.sentiment, cell: (row) => sentimentBar(row.sentiment), title: sentimentTitle },
  { key: "trend", label: "60 days", bestFirst: true, value: (row) => change(row.sparkline), cell: (row) => sparkline(row.sparkline), title: trendTitle },
];

function symbolCell(row) {
  const ticker = element("span", "ticker", row.symbol);
  if (!row.late) return ticker;
  const mark = element("abbr", "late", "old");
  mark.title = row.late;
  return element("span", "", [ticker, mark]);
}

/** What to say of a symbol whose newest price is older than the others'; empty for one that is current. */
export function lateness(row, asOf) {
  if (!row.last_day || row.last_day >= asOf || row.sessions_behind === 0) return "";
  const sessions = row.sessions_behind === 1 ? "1 session" : `${row.sessions_behind} sessions`;
  return `Newest price of ${row.last_day}${row.sessions_behind ? `, ${sessions} behind the others` : ""}`;
}

function gradeBadge(row) {
  const letter = GRADE_ORDER.includes(row.grade) ? row.grade : "none";
  return element("span", `badge grade-${letter}`, row.grade);
}

function sentimentTitle(row) {
  if (row.sentiment === null) return "No news analysed for this symbol; it counts as neutral";
  return `From ${row.headlines} ${row.headlines === 1 ? "headline" : "headlines"}`;
}

function trendTitle(row) {
  return row.sparkline.length ? `Last ${row.sparkline.length} closes, the latest ${row.sparkline.at(-1).toFixed(2)}` : "No prices";
}

/** Draw the head; each column is a button that sorts, and the focus survives the drawing. */
export function renderHead(parent, view, sortBy) {
  const focused = document.activeElement?.dataset?.sort;
  parent.replaceChildren(
    ...COLUMNS.map((column) => {
      const sorted = view.sort === column.key;
      const button = element("button", "", [element("span", "", column.short ?? column.label), element("i", "arrow")]);
      button.type = "button";
      button.dataset.sort = column.key;
      if (column.short) button.setAttribute("aria-label", column.label);
      button.addEventListener("click", () => sortBy(column.key));
      const head = element("th", `column-${column.key}`, [button]);
      head.scope = "col";
      head.setAttribute("role", "columnheader");
      head.setAttribute("aria-sort", sorted ? (view.descending ? "descending" : "ascending") : "none");
      return head;
    }),
  );
  if (focused) parent.querySelector(`[data-sort="${focused}"]`)?.focus();
}

/** Draw the rows; those of `changed` symbols light up once. */
export function renderRows(parent, rows, changed) {
  parent.replaceChildren(
    ...rows.map((row) => {
      const line = element("tr", changed.has(row.symbol) ? "changed" : "", COLUMNS.map((column) => cell(column, row)));
      line.setAttribute("role", "row");
      return line;
    }),
  );
}

function cell(column, row) {
  const isName = column.key === "symbol";
  const made = element(isName ? "th" : "td", `column-${column.key}`, [column.cell(row)]);
  made.setAttribute("role", isName ? "rowheader" : "cell");
  if (isName) made.scope = "row";
  made.dataset.label = column.label;
  if (column.title) made.title = column.title(row);
  return made;
}
