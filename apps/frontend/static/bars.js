// The small drawings in the cells of the table.
import { element, svg } from "./dom.js";
import { MISSING, signed } from "./format.js";

const WIDTH = 112;
const HEIGHT = 30;
const PAD = 3;

/** A number with a bar, both of 0..100; null is a dash. */
export function scoreBar(value) {
  if (value === null) return element("span", "measure", [element("span", "number none", MISSING)]);
  const bar = element("span", "bar", [element("i")]);
  bar.setAttribute("aria-hidden", "true");
  bar.style.setProperty("--value", value);
  return element("span", "measure", [element("span", "number", value.toFixed(0)), bar]);
}

/** A number with a bar from the middle, -1 at the left end and 1 at the right; null is a dash. */
export function sentimentBar(value) {
  if (value === null) return element("span", "measure", [element("span", "number none", MISSING)]);
  const bar = element("span", `bar diverging ${value < 0 ? "negative" : "positive"}`, [element("i")]);
  bar.setAttribute("aria-hidden", "true");
  bar.style.setProperty("--value", Math.abs(value));
  return element("span", "measure", [element("span", "number", signed(value, 2)), bar]);
}

/** Change from the first close to the last, percent; null for fewer than two closes. */
export function change(closes) {
  if (closes.length < 2 || closes[0] === 0) return null;
  return (closes.at(-1) / closes[0] - 1) * 100;
}

/** A line of the closes, and their change. */
export function sparkline(closes) {
  const percent = change(closes);
  if (percent === null) return element("span", "none", MISSING);
  const low = Math.min(...closes);
  const scale = (HEIGHT - 2 * PAD) / (Math.max(...closes) - low || 1);
  const points = closes.map((close, index) => [
    PAD + (index * (WIDTH - 2 * PAD)) / (closes.length - 1),
    HEIGHT - PAD - (close - low) * scale,
  ]);
  const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, [
    svg("path", { class: "area", d: `M${line}L${WIDTH - PAD} ${HEIGHT}L${PAD} ${HEIGHT}Z` }),
    svg("path", { class: "line", d: `M${line}` }),
    svg("circle", { cx: points.at(-1)[0], cy: points.at(-1)[1], r: 2.2 }),
  ]);
  const trend = element("span", `trend ${percent < 0 ? "negative" : "positive"}`, [drawing]);
  trend.append(element("span", "number", `${signed(percent, 1)}%`));
  return trend;
}
