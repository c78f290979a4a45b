// The columns of the table: what each shows, what it means, and how it sorts.
import { change, scoreBar, sentimentBar, sparkline } from "./bars.js";
import { element, link } from "./dom.js";
import { MISSING, counted, number } from "./format.js";
import { moveMark } from "./changes.js";

export const LETTERS = ["A", "B", "C", "D", "F"];

const PERCENTILE = "as a percentile of all symbols, or of its sector where those are neutral: 50 is the middle, 99 the best of a hundred.";

/** `value` is what sorting and ranges compare, `cell` what the cell shows, `bestFirst` the first direction, `range` what a range may span. */
export const COLUMNS = [
  { key: "rank", label: "Rank", short: "#", value: (row) => row.rank, cell: (row) => element("span", "number", String(row.rank)),
    meaning: "The place by composite. 1 is the best." },
  { key: "move", label: "Change", bestFirst: true, value: (row) => row.move?.ranks ?? null, cell: moveMark, title: moveTitle, optional: true,
    meaning: "How many ranks a symbol has moved since the batch before, and which letter it had then." },
  { key: "symbol", label: "Symbol", value: (row) => row.symbol, cell: symbolCell,
    meaning: "The symbol, and its name and sector where they are known. “old” marks one whose newest price is older than the others'." },
  { key: "grade", label: "Grade", value: (row) => LETTERS.indexOf(row.grade), cell: gradeBadge,
    meaning: "A is the top 15 % of the ranks, B the next 25 %, then C 30 %, D 20 % and F 10 %." },
  { key: "composite", label: "Composite", bestFirst: true, range: [0, 100], value: (row) => row.composite,
    cell: (row) => element("span", "number", row.composite.toFixed(1)),
    meaning: "The number that is ranked, 0 to 100: the score, and the news sentiment mapped to 0 to 100." },
  { key: "momentum", label: "Momentum", bestFirst: true, range: [0, 100], value: (row) => row.momentum, cell: (row) => scoreBar(row.momentum),
    meaning: `12-month return without the last month, ${PERCENTILE}` },
  { key: "value", label: "Value", bestFirst: true, range: [0, 100], value: (row) => row.value, cell: (row) => scoreBar(row.value),
    meaning: `Negative return from five years to one year ago, ${PERCENTILE}` },
  { key: "quality", label: "Quality", bestFirst: true, range: [0, 100], value: (row) => row.quality, cell: (row) => scoreBar(row.quality),
    meaning: `Small losses and a steady trend over a year, ${PERCENTILE}` },
  { key: "sentiment", label: "Sentiment", bestFirst: true, range: [-1, 1], value: (row) => row.sentiment,
    cell: (row) => sentimentBar(row.sentiment), title: sentimentTitle,
    meaning: "Tone of the headlines, −1 to 1. A symbol without headlines counts as neutral." },
  { key: "trend", label: "60 days", bestFirst: true, range: [-100, 1000], unit: "%", value: trendOf, cell: (row) => sparkline(row.sparkline ?? []),
    title: trendTitle, meaning: "The last 60 closes, and the change from the first to the last." },
];

export const columnOf = (key) => COLUMNS.find((column) => column.key === key);

/** The change over the closes, percent; counted once for each row. */
function trendOf(row) {
  row.trend ??= { percent: change(row.sparkline ?? []) };
  return row.trend.percent;
}

function symbolCell(row) {
  const symbol = element("span", "ticker", row.symbol);
  const opens = link("open", [symbol], `#${encodeURIComponent(row.symbol)}`);
  const about = [row.name, row.sector].filter(Boolean).join(" · ");
  const mark = row.late ? element("abbr", "late", "old") : null;
  if (mark) mark.title = row.late;
  const made = element("span", "name-of", [opens, mark, about ? element("small", "about", about) : null]);
  if (about) made.title = about;
  return made;
}

/** What to say of a symbol whose newest price is older than the others'; empty for one that is current. */
export function lateness(row, asOf) {
  if (!row.last_day || row.last_day >= asOf || row.sessions_behind === 0) return "";
  const sessions = row.sessions_behind ? `, ${counted(row.sessions_behind, "session")} behind the others` : "";
  return `Newest price of ${row.last_day}${sessions}`;
}

/** A letter on its colour. */
export function letterBadge(grade, size = "") {
  return element("span", `badge ${size} grade-${LETTERS.includes(grade) ? grade : "none"}`, grade ?? MISSING);
}

function gradeBadge(row) {
  return letterBadge(row.grade);
}

function moveTitle(row) {
  return row.move?.words ?? "";
}

function sentimentTitle(row) {
  if (row.sentiment === null) return "No news analysed for this symbol; it counts as neutral";
  return `From ${counted(row.headlines, "headline")}`;
}

function trendTitle(row) {
  if (row.sparkline === null) return ""; // not there yet
  const closes = row.sparkline ?? [];
  return closes.length ? `Last ${counted(closes.length, "close")}, the latest ${number(closes.at(-1), 2)}` : "No prices";
}
