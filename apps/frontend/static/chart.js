// Lines over time, drawn as SVG: the closes of a symbol with its grades on them.
import { element, svg } from "./dom.js";
import { day, number } from "./format.js";

const HEIGHT = 220;
const LEFT = 8;
const RIGHT = 64;
const TOP = 18;
const BOTTOM = 24;
const APART = 20; // pixels between two marks

/** A figure of points [{ date, close }], oldest first, with marks [{ date, grade }] where the letter is another than before. */
export function priceChart(points, marks, width = 540) {
  const closes = points.map((point) => point.close);
  const low = Math.min(...closes);
  const high = Math.max(...closes);
  const x = (index) => LEFT + (index * (width - LEFT - RIGHT)) / Math.max(1, points.length - 1);
  const y = (close) => TOP + ((high - close) * (HEIGHT - TOP - BOTTOM)) / (high - low || 1);
  const line = points.map((point, index) => `${x(index).toFixed(1)} ${y(point.close).toFixed(1)}`).join("L");
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "chart", role: "img" }, [
    ...scale(low, high, y, width),
    ...days(points, x),
    svg("path", { class: "area", d: `M${line}L${x(points.length - 1)} ${HEIGHT - BOTTOM}L${LEFT} ${HEIGHT - BOTTOM}Z` }),
    svg("path", { class: "line", d: `M${line}` }),
    ...letters(points, marks, x, y),
  ]);
  const words = `Closes from ${day(points[0].date)} to ${day(points.at(-1).date)}: ` +
    `lowest ${number(low, 2)}, highest ${number(high, 2)}, last ${number(closes.at(-1), 2)}.`;
  drawing.setAttribute("aria-label", words);
  drawing.setAttribute("class", `chart ${closes.at(-1) < closes[0] ? "negative" : "positive"}`);
  const readout = element("figcaption", "", words);
  follow(drawing, readout, words, points, x, y, width);
  return element("figure", "price", [drawing, readout]);
}

/** Lines at three closes, with their numbers at the right. */
function scale(low, high, y, width) {
  const steps = high > low ? [low, (low + high) / 2, high] : [low];
  return steps.flatMap((close) => [
    svg("path", { class: "grid", d: `M${LEFT} ${y(close).toFixed(1)}H${width - RIGHT}` }),
    svg("text", { x: width - RIGHT + 13, y: (y(close) + 4).toFixed(1) }, number(close, 2)),
  ]);
}

/** The first and the last day, and one between them. */
function days(points, x) {
  const last = points.length - 1;
  const chosen = last > 1 ? [0, Math.round(last / 2), last] : [0];
  const anchors = ["start", "middle", "end"];
  return chosen.map((index, place) => svg("text", { x: x(index).toFixed(1), y: HEIGHT - 6, "text-anchor": anchors[place] }, day(points[index].date)));
}

/** A letter at each day from which on a symbol had another one; of those too close together, the newer. */
function letters(points, marks, x, y) {
  const found = [];
  for (const { date, grade } of marks) {
    const index = points.findLastIndex((point) => point.date <= date);
    if (index < 0 || found.at(-1)?.grade === grade) continue;
    if (found.length && x(index) - x(found.at(-1).index) < APART) found.pop();
    if (found.at(-1)?.grade !== grade) found.push({ index, grade, date });
  }
  return found.map(({ index, grade, date }) => svg("g", { class: `mark mark-${grade}`, transform: `translate(${x(index).toFixed(1)} ${y(points[index].close).toFixed(1)})` }, [
    svg("title", {}, `${grade} since ${day(date)}`),
    svg("circle", { r: 9 }),
    svg("text", { y: 4, "text-anchor": "middle" }, grade),
  ]));
}

/** Show the day and the close below the pointer. */
function follow(drawing, readout, words, points, x, y, width) {
  const cursor = svg("path", { class: "cursor" });
  drawing.append(cursor);
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const at = ((event.clientX - box.left) * width) / box.width;
    const index = Math.round(((at - LEFT) * (points.length - 1)) / (width - LEFT - RIGHT));
    const point = points[Math.max(0, Math.min(points.length - 1, index))];
    cursor.setAttribute("d", `M${x(points.indexOf(point)).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`);
    readout.textContent = `${day(point.date)}: ${number(point.close, 2)}`;
  });
  drawing.addEventListener("pointerleave", () => {
    cursor.removeAttribute("d");
    readout.textContent = words;
  });
}
