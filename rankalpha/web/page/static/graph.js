// A batch as the graph of its stages: a button each, with its state, and a line from each stage to those that read it.
import { button, drawing, element } from "./dom.js";
import { stepName } from "./format.js";
import { stateMark } from "./states.js";

// pixels: a node, and how far apart the nodes of the next level and the next ones of the same level begin
const WIDE = { width: 148, height: 46, along: 196, across: 58 };
const UPRIGHT = { width: 124, height: 46, along: 74, across: 136 };

let drawn = ""; // what the graph of the page was drawn from

/** Draw the graph of a batch again when a state has changed; nothing without a batch. The focus stays where it is. */
export function renderGraph(parent, batch, open) {
  const text = JSON.stringify(batch ? [batch.batch, batch.steps.map(({ step, state, needs }) => [step, state, needs])] : null);
  if (text === drawn) return;
  drawn = text;
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.step : null;
  parent.replaceChildren(...(batch ? [graph(batch, open)] : []));
  if (focused) parent.querySelector(`[data-step="${CSS.escape(focused)}"]`)?.focus();
}

/** The graph from left to right, or `upright` for a narrow place; `open` is called with the name of a stage. */
export function graph(batch, open, upright = false) {
  const longest = Math.max(...batch.steps.map(({ step }) => step.length));
  const more = Math.max(0, 8.5 * longest + 20 - WIDE.width); // for the names of a variant's steps
  const size = upright ? UPRIGHT : { ...WIDE, width: WIDE.width + more, along: WIDE.along + more };
  const before = new Map(batch.steps.map(({ step, needs }) => [step, needs]));
  const levels = levelsOf(before);
  const widest = Math.max(...levels.map((names) => names.length));
  const places = new Map(levels.flatMap((names, level) => names.map((name, index) => {
    const [along, across] = [level * size.along, ((widest - names.length) / 2 + index) * size.across];
    return [name, upright ? [across, along] : [along, across]];
  })));
  const [along, across] = [(levels.length - 1) * size.along, (widest - 1) * size.across];
  const [width, height] = [(upright ? across : along) + size.width, (upright ? along : across) + size.height];
  const lines = [...before].flatMap(([name, needed]) => needed.map((from) =>
    ["path", { d: line(places.get(from), places.get(name), size, upright) }]));
  const edges = drawing({ width, height, viewBox: `0 0 ${width} ${height}`, class: "edges", "aria-hidden": "true" }, lines);
  const nodes = batch.steps.map((step) => node(step, before.get(step.step), places.get(step.step), size, open));
  const canvas = element("div", "canvas", [edges, ...nodes]);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const made = element("div", "graph", [canvas]);
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", `Graph of batch ${batch.batch}`);
  return made;
}

/** The names of the steps by how many steps are before them. */
function levelsOf(before) {
  const level = (name) => Math.max(0, ...before.get(name).map((needed) => level(needed) + 1));
  const levels = [];
  for (const name of before.keys()) (levels[level(name)] ??= []).push(name);
  return levels;
}

function node(step, needed, [x, y], size, open) {
  const after = needed.length ? element("span", "unseen", `, after ${needed.map(stepName).join(" and ")}`) : null;
  const made = button(`node is-${step.state}`, [element("span", "stage", stepName(step.step)), stateMark(step.state), after], () => open(step.step));
  Object.assign(made.style, { left: `${x}px`, top: `${y}px`, width: `${size.width}px`, height: `${size.height}px` });
  made.setAttribute("aria-haspopup", "dialog");
  made.dataset.step = step.step;
  made.title = stepName(step.step); // where it is cut
  return made;
}

function line([fromX, fromY], [toX, toY], { width, height }, upright) {
  if (upright) {
    const [x1, y1, x2, y2] = [fromX + width / 2, fromY + height, toX + width / 2, toY];
    return `M${x1} ${y1}C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`;
  }
  const [x1, y1, x2, y2] = [fromX + width, fromY + height / 2, toX, toY + height / 2];
  return `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
}
