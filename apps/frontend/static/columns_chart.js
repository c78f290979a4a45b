// Columns from zero, with the band of each where it is known.
import { element, svg } from "./dom.js";

const WIDTH = 360;
const HEIGHT = 190;
const LEFT = 54;
const TOP = 14;
const BOTTOM = 26;
const LABELS = 8; // that fit below the columns

/** A figure of [{ label, value, low, high, className }]; `write` makes the text of a number. Null when no value is known. */
export function columnsChart(caption, columns, write) {
  const known = columns.filter((column) => column.value !== null);
  if (!known.length) return null;
  const ends = known.flatMap((column) => [column.value, column.low ?? column.value, column.high ?? column.value, 0]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const y = (value) => TOP + ((high - value) * (HEIGHT - TOP - BOTTOM)) / (high - low || 1);
  const step = (WIDTH - LEFT - 6) / columns.length;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "columns", role: "img" }, [
    ...[...new Set([low, 0, high])].flatMap((value) => [
      svg("path", { class: value === 0 ? "zero" : "grid", d: `M${LEFT} ${y(value).toFixed(1)}H${WIDTH}` }),
      svg("text", { x: LEFT - 8, y: (y(value) + 4).toFixed(1), "text-anchor": "end" }, write(value)),
    ]),
    ...columns.flatMap((column, index) => columnOf(column, LEFT + 3 + index * step, step, y, labelled(index, columns.length))),
  ]);
  drawing.setAttribute("aria-label", `${caption}: ${known.map((column) => `${column.label} ${write(column.value)}`).join(", ")}`);
  return element("figure", "", [element("figcaption", "", caption), drawing]);
}

function labelled(index, count) {
  return index % Math.ceil(count / LABELS) === 0;
}

function columnOf({ label, value, low, high, className }, x, step, y, shows) {
  const middle = (x + step / 2).toFixed(1);
  const made = shows ? [svg("text", { x: middle, y: HEIGHT - 7, "text-anchor": "middle" }, label)] : [];
  if (value === null) return made;
  const tone = className ?? (value < 0 ? "negative" : "positive");
  const wide = Math.max(1, Math.min(38, step * 0.62));
  made.push(svg("rect", {
    class: tone, x: (x + (step - wide) / 2).toFixed(1), width: wide.toFixed(1), rx: Math.min(2, wide / 2),
    y: Math.min(y(value), y(0)).toFixed(1), height: Math.max(1, Math.abs(y(value) - y(0))).toFixed(1),
  }));
  if (low !== null && low !== undefined) made.push(svg("path", { class: "band", d: `M${middle} ${y(low).toFixed(1)}V${y(high).toFixed(1)}` }));
  return made;
}
