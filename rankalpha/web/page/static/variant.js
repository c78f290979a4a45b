// A variant against its champion: what the grades of both were worth, how they differ, and what both have used.
import { element, table } from "./dom.js";
import { batchName, bytes, count, duration, number } from "./format.js";
import { grades } from "./grades.js";

const LETTERS = ["A", "B", "C", "D", "F"];
const MISSING = "–";

/** Draw a variant's comparisons, newest batch first. */
export function renderVariant(parent, { batches, summary, returns, stages }) {
  if (!batches.length) {
    parent.replaceChildren(element("p", "nothing", "No batch is compared yet. The first one is, as soon as both have graded it."));
    return;
  }
  const differ = `${summary.different} of ${count(summary.batches, "batch", "batches")} differ, in ${count(summary.changed, "letter")}.`;
  parent.replaceChildren(
    ...(returns.length ? [part("What it was worth", "The mean return of the stocks with an A, less that of those with an F, over the sessions that followed a batch.", worth(returns))] : []),
    part("How the grades differ", `Newest batch first. ${differ}`, differences(batches)),
    ...(stages.length ? [part("What it used", "Medians of the containers that made these batches.", used(stages))] : []),
  );
}

/** A titled table, which a keyboard can scroll where it is too wide. */
function part(title, about, content) {
  const wide = element("div", "wide", [content]);
  wide.tabIndex = 0;
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", title);
  return element("section", "part", [element("h2", "", title), element("p", "sub", about), wide]);
}

function worth(returns) {
  const rows = returns.map(({ horizon, sessions, champion, challenger, difference, low, high }) => [
    count(horizon, "session"), verdict(low, high), percent(difference), low === null ? MISSING : `${percent(low)} to ${percent(high)}`,
    percent(champion), percent(challenger), String(sessions),
  ]);
  return table("figures", ["Over", "The variant is", "Difference", "95 % band", "Champion", "Variant", "Sessions"], rows);
}

/** What the band of the difference says. */
function verdict(low, high) {
  if (low === null) return element("span", "sub", "too new to tell");
  if (low > 0) return element("b", "good", "better");
  return high < 0 ? element("b", "bad", "worse") : element("span", "", low === 0 && high === 0 ? "the same" : "not told apart");
}

function differences(batches) {
  const rows = batches.map((row) => [
    element("span", "when", [element("b", "", batchName(row.batch)[0]), element("span", "sub", batchName(row.batch)[1])]),
    number(row.symbols),
    [element("span", "", number(row.changed ?? null)), element("span", "sub moved", moves(row))],
    row.rank_correlation === null || row.rank_correlation === undefined ? MISSING : row.rank_correlation.toFixed(3),
    row.top ? `${row.top_overlap} of ${row.top}` : MISSING,
    [bar("Champion", "champion", row), bar("Variant", "challenger", row)],
  ]);
  return table("figures compared-grades", ["Batch", "Stocks", "Other letters", "Rank correlation", "Same top", "Grades"], rows);
}

function moves({ changed_symbols: text }) {
  return (text || "").split(", ").map((move) => element("span", "", move));
}

function bar(name, who, row) {
  const counts = Object.fromEntries(LETTERS.map((letter) => [letter, row[`${who}_${letter}`] ?? 0]));
  return element("span", "bar", [element("span", "sub", name), grades(counts)]);
}

function used(stages) {
  const or = (value, write) => (value === null ? MISSING : write(value));
  const rows = stages.map(({ stage, who, runs, seconds, cpu_seconds: cpu, peak_memory_bytes: peak }) => [
    stage, who === "challenger" ? "variant" : who, String(runs), or(seconds, duration), or(cpu, duration), or(peak, bytes),
  ]);
  return table("figures", ["Stage", "Of", "Runs", "Took", "CPU", "Peak memory"], rows);
}

/** A share as a percentage with its sign. */
function percent(value) {
  return value === null ? MISSING : `${value < 0 ? "-" : "+"}${Math.abs(value * 100).toFixed(2)} %`;
}
