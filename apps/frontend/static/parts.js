// The sections of a symbol's panel.
import { splitWords } from "./changes.js";
import { priceChart } from "./chart.js";
import { letterBadge } from "./columns.js";
import { button, element, table } from "./dom.js";
import { counted, moment, number, signed } from "./format.js";

const SHORT = 8; // rows of the history before a person asks for all
const SPANS = [["3 months", 63], ["1 year", 252], ["All", Infinity]];

/** Rank, composite and move in one line. */
export function standing(row, total) {
  const of = total ? ` of ${total.toLocaleString("en")}` : "";
  return element("p", "standing", [
    element("b", "", `Rank ${row.rank}${of}`), element("span", "", `Composite ${number(row.composite, 1)}`),
    row.move ? element("span", "", row.move.words) : null, row.late ? element("span", "old", row.late) : null,
  ]);
}

/** The price chart with a choice of its span; null without prices. */
export function chartSection(prices, past, width) {
  const points = prices.filter((point) => point.close !== null);
  if (points.length < 2) return null;
  const marks = past.map((row) => ({ date: row.as_of, grade: row.grade })).reverse();
  const place = element("div", "");
  const spans = SPANS.filter(([, days], index) => index === SPANS.length - 1 || points.length > days);
  const draw = (days) => {
    const shown = Number.isFinite(days) ? points.slice(-days) : points;
    const first = marks.findLast((mark) => mark.date <= shown[0].date); // the letter it had when the chart begins
    const seen = marks.filter((mark) => mark.date > shown[0].date);
    place.replaceChildren(priceChart(shown, first ? [{ ...first, date: shown[0].date }, ...seen] : seen, Math.max(300, Math.min(600, width - 40))));
    for (const [index, each] of choices.entries()) each.setAttribute("aria-pressed", String(spans[index][1] === days));
  };
  const choices = spans.map(([name, days]) => button("span", name, () => draw(days)));
  draw(spans[Math.min(1, spans.length - 1)][1]);
  return element("section", "", [
    element("div", "line", [element("h3", "", "Price and grades"), spans.length > 1 ? element("div", "spans", choices) : null]),
    place,
  ]);
}

/** What a move since another batch is made of; null when there is none. */
export function moveSection(move) {
  if (!move?.change.before || !move.change.after) return null;
  const { before, after, move: points, parts } = move.change;
  const words = `From rank ${before.rank} (${before.grade}, ${number(before.composite, 2)}) to rank ${after.rank} ` +
    `(${after.grade}, ${number(after.composite, 2)})`;
  const made = points === null ? "." : `: ${signed(points, 2)} points, made of ${splitWords(parts)}.`;
  return element("section", "moved", [element("h3", "", move.words), element("p", "", words + made)]);
}

/** The headlines behind the sentiment, with their scores; null when the API knows none. */
export function headlinesSection(headlines) {
  if (!headlines) return null;
  const lines = headlines.map(({ title, sentiment }) => {
    const known = sentiment !== null && sentiment !== undefined;
    const score = element("span", `score ${known && sentiment < 0 ? "negative" : "positive"}`, known ? signed(sentiment, 2) : "");
    return element("li", "", [element("span", "", title), score]);
  });
  return element("section", "headlines", [
    element("h3", "", "Headlines"),
    lines.length ? element("ul", "", lines) : element("p", "", "No headlines of this symbol; its sentiment counts as neutral."),
  ]);
}

/** The grades of all batches, newest first. */
export function historySection(past) {
  if (!past.length) return element("section", "past", [element("h3", "", "History"), element("p", "", "No earlier grades are on record.")]);
  const line = (row) => [moment(row.batch), `${row.rank} of ${row.symbols}`, letterBadge(row.grade, "small"), number(row.composite, 1), number(row.close, 2)];
  const draw = (rows) => table("history", "Grades by batch", ["Batch", "Rank", "Grade", "Composite", "Close"], rows.map(line));
  const section = element("section", "past", [element("h3", "", `History: ${past.length === 1 ? "1 batch" : `${past.length} batches`}`), draw(past.slice(0, SHORT))]);
  if (past.length > SHORT) {
    section.append(button("again", `Show all ${past.length}`, (event) => {
      section.querySelector("table").replaceWith(draw(past));
      event.target.remove();
    }));
  }
  return section;
}

/** What is not known, and why; null when nothing is missing. */
export function missingSection(missing) {
  if (!missing?.length) return null;
  return element("section", "missing", [element("h3", "", counted(missing.length, "part") + " missing"), element("ul", "", missing.map((text) => element("li", "", text)))]);
}
