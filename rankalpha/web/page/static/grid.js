// The table: a row a batch, a column a stage with the trend of its duration, a button in each cell.
import { button, drawing, element } from "./dom.js";
import { batchName, count, duration, stepName } from "./format.js";
import { grades } from "./grades.js";
import { dagLink } from "./links.js";
import { CARRIED, WARNING, broken, icon, stateMark } from "./states.js";

const WIDTH = 96;
const HEIGHT = 22;
const PAD = 3;
const drawn = new Map(); // what each row and the head were drawn from, so that only what has changed is drawn again

/** Draw the head: each stage's name, and its durations from the oldest batch to the newest. */
export function renderHead(parent, batches) {
  const names = columns(batches);
  const trends = names.map((name) => batches.map((batch) => step(batch, name)).filter((found) => found?.seconds > 0).reverse());
  const dags = names.map((name) => step(batches[0], name).dag_id);
  if (same(parent, [dags, trends.map((steps) => steps.map(({ seconds, state }) => [seconds, state]))])) return;
  parent.replaceChildren(
    head("Batch", []),
    ...names.map((name, index) => head(name, trends[index], dags[index])),
    head("Grades", []),
  );
}

/** Draw the rows whose data have changed; the focus stays where it is. */
export function renderRows(parent, batches, now, open) {
  const kept = new Map([...parent.children].map((row) => [row.dataset.batch, row]));
  const focused = document.activeElement?.dataset?.id;
  const rows = batches.map((batch) => {
    const old = kept.get(batch.batch);
    const busy = batch.steps.some(({ state }) => state === "running"); // its time goes on
    return same(batch.batch, [batch, busy && now]) && old ? old : row(batch, now, open);
  });
  if (rows.length !== parent.children.length || rows.some((row, index) => row !== parent.children[index])) parent.replaceChildren(...rows);
  if (focused && document.activeElement?.dataset?.id !== focused) cellButton(focused)?.focus();
}

/** The button of a cell, by its id: the batch, or the batch, a slash and the step. */
export function cellButton(id) {
  return document.querySelector(`#rows [data-id="${CSS.escape(id)}"]`);
}

/** The names of the steps, in the order in which they run; the server lists them. */
function columns(batches) {
  return (batches[0]?.steps ?? []).map(({ step: name }) => name);
}

export function step(batch, name) {
  return batch.steps.find(({ step }) => step === name);
}

function same(key, data) {
  const text = JSON.stringify(data);
  if (drawn.get(key) === text) return true;
  drawn.set(key, text);
  return false;
}

function head(name, steps, dagId) {
  const text = dagId ? [dagLink(dagId, stepName(name))] : stepName(name);
  const made = element("th", `column-${name.toLowerCase()}`, [element("span", "stage", text)]);
  made.scope = "col";
  made.setAttribute("role", "columnheader");
  if (steps.length) made.append(trend(name, steps));
  return made;
}

/** A line of durations, the newest in words; failed ones are dots. */
function trend(name, steps) {
  const seconds = steps.map((step) => step.seconds);
  const newest = duration(seconds.at(-1));
  const summary = `${stepName(name)}: the newest took ${newest}`;
  const label = seconds.length > 1
    ? `${summary}; ${seconds.length} batches from ${duration(Math.min(...seconds))} to ${duration(Math.max(...seconds))}`
    : summary;
  const scale = (HEIGHT - 2 * PAD) / (Math.max(...seconds) || 1); // from zero, so that noise does not look like a trend
  const width = (WIDTH - 2 * PAD) / Math.max(1, seconds.length - 1);
  const points = seconds.map((value, index) => [PAD + index * width, HEIGHT - PAD - value * scale]);
  const at = ([x, y], className, r) => ["circle", { cx: x.toFixed(1), cy: y.toFixed(1), r, class: className }];
  const line = `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;
  const failed = points.filter((_, index) => ["failed", "blocked"].includes(steps[index].state));
  const image = drawing({ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, [
    ["path", { class: "area", d: `${line}L${points.at(-1)[0].toFixed(1)} ${HEIGHT}L${PAD} ${HEIGHT}Z` }],
    ["path", { class: "line", d: line }],
    at(points.at(-1), "newest", 2.2),
    ...failed.map((point) => at(point, "failed", 2.6)),
  ]);
  const made = element("span", "trend", [image, element("span", "figure", newest)]);
  made.title = label;
  return made;
}

function row(batch, now, open) {
  const [day, time] = batchName(batch.batch);
  const session = batch.session ? element("span", "session", batch.session.text) : null;
  const title = button("batch", [element("b", "", day), element("span", "", time), session], () => open(batch.batch, null));
  title.dataset.id = batch.batch;
  title.title = [batch.where, batch.news].filter(Boolean).join("; ");
  title.setAttribute("aria-label", `Batch ${batch.batch}: ${batch.where}. Show its lineage`);
  const first = cell("th", "batch", [title]);
  first.scope = "row";
  const cells = columns([batch]).map((name) => cell("td", name, [stepButton(batch, step(batch, name), now, open)]));
  const made = element("tr", batch.settled ? "settled" : "open", [first, ...cells, cell("td", "grades", [grades(batch.grades), batch.news ? element("span", "news", batch.news) : null])]);
  made.setAttribute("role", "row");
  made.dataset.batch = batch.batch;
  return made;
}

function cell(tag, column, content) {
  const made = element(tag, `column-${column}`, content);
  made.setAttribute("role", tag === "th" ? "rowheader" : "cell");
  return made;
}

function stepButton(batch, step, now, open) {
  const { blocking, warning } = broken((step.held ?? step).checks);
  const { state } = step;
  const rows = step.state === "done" && step.rows !== null ? element("span", "rows", ` · ${count(step.rows, "row")}`) : null;
  const content = [stateMark(state), element("span", "sub", [timing(step, now) || "\u00a0", rows])];
  const notes = [];
  if (step.held) notes.push(note("bad", `${count(blocking.length, "check")} failed`));
  else if (step.reused_from && state === "done") notes.push(note("idle", "carried over", CARRIED));
  if (step.forced && !step.held) notes.push(note("warn", "published anyway"));
  if (warning.length) notes.push(note("warn", count(warning.length, "warning")));
  if (notes.length) content.push(element("span", "notes", notes));
  const made = button(`cell is-${state}`, content, () => open(batch.batch, step.step));
  made.dataset.id = `${batch.batch}/${step.step}`;
  made.dataset.label = stepName(step.step);
  made.setAttribute("aria-haspopup", "dialog");
  return made;
}

function timing(step, now) {
  if (step.state === "running" && step.since) return `for ${duration(Math.max(0, (new Date(now) - new Date(step.since)) / 1000))}`;
  return step.seconds === null || step.state === "waiting" ? "" : duration(step.seconds);
}

function note(tone, text, sign = WARNING) {
  return element("span", `note ${tone}`, [icon(sign), element("span", "", text)]);
}
