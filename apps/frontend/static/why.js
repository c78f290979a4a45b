// Why a grade is what it is: the parts that add up to the composite, as a table with a picture.
import { element, svg, table } from "./dom.js";
import { counted, number, sentence, signed } from "./format.js";

const WIDTH = 150;
const HEIGHT = 14;
const NAMES = { momentum: "Momentum", value: "Value", quality: "Quality", sentiment: "News sentiment", other: "Other" };
const SIGNALS = [
  ["momentum", "12-month return without the last month", percent],
  ["value", "Negative return from five years to one year ago", percent],
  ["downside_safety", "Negative semi-deviation of a year's daily returns", (value) => number(value * 100, 2) + " %"],
  ["trend_stability", "Fit of a line through a year's closes, −1 to 1", (value) => number(value, 2)],
];

function percent(value) {
  return `${signed(value * 100, 1)} %`;
}

/** The section from the API's `why`: { base, composite, parts, text }. */
export function whySection(why) {
  const spans = spansOf(why);
  const [low, high] = [Math.min(...spans.flat(), why.base), Math.max(...spans.flat(), why.base)];
  const rows = why.parts.map((part, index) => [
    NAMES[part.part] ?? part.part,
    part.text,
    `${Math.round(part.weight * 100)} %`,
    signed(part.contribution, 2),
    stair(spans[index], why.base, low, high),
  ]);
  return element("section", "why", [
    element("h3", "", "Why this grade"),
    element("p", "", sentence(why.text)),
    table("parts", "Parts of the composite", ["Part", "Measured", "Weight", "Points", `From ${number(why.base, 0)} to ${number(why.composite, 1)}`], rows),
  ]);
}

/** Where each part starts and ends, one after another. */
function spansOf(why) {
  let at = why.base;
  return why.parts.map((part) => [at, (at += part.contribution)]);
}

function stair([from, to], base, low, high) {
  const x = (points) => 1 + ((points - low) * (WIDTH - 2)) / (high - low || 1);
  const left = Math.min(x(from), x(to));
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: to < from ? "negative" : "positive", "aria-hidden": "true" }, [
    svg("path", { class: "base", d: `M${x(base).toFixed(1)} 0V${HEIGHT}` }),
    svg("rect", { x: left.toFixed(1), y: 2, height: HEIGHT - 4, rx: 2, width: Math.max(1, Math.abs(x(to) - x(from))).toFixed(1) }),
  ]);
  return drawing;
}

/** What was measured before it was ranked; null when the API knows none of it. */
export function signalsSection(signals) {
  const known = SIGNALS.filter(([name]) => signals?.[name] !== null && signals?.[name] !== undefined);
  if (!known.length) return null;
  return element("section", "", [
    element("h3", "", "What was measured"),
    element("dl", "measured", known.map(([name, words, write]) => element("div", "", [element("dt", "", words), element("dd", "", write(signals[name]))]))),
  ]);
}

/** The same from a row alone, for an API that does not explain its grades. */
export function rowSection(row) {
  const rows = ["momentum", "value", "quality"].map((name) => [NAMES[name], number(row[name], 0)]);
  return element("section", "why", [
    element("h3", "", "Parts"),
    table("parts", "Parts of the composite", ["Part", "Percentile"], rows),
    element("p", "", row.sentiment === null ? "No news sentiment is known; it counts as neutral." : `News sentiment ${signed(row.sentiment, 2)} from ${counted(row.headlines, "headline")}.`),
  ]);
}
