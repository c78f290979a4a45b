// The measures of the record: a table with a row for each horizon, and what each means.
import { element, table } from "./dom.js";
import { MISSING, counted, signed } from "./format.js";

const or = (write) => (value) => (value === null || value === undefined ? MISSING : write(value));
const share = or((value) => `${Math.round(value * 100)} %`);
const tenths = or((value) => signed(value, 1));
const correlation = or((value) => signed(value, 3));
export const percent = or((value) => `${signed(value * 100, 2)} %`);
export const sessions = (horizon) => counted(Number(horizon), "session");

/** Each measure: its name, its text of the figures of a horizon, and what it means. */
const MEASURES = [
  ["Rank IC", (of) => correlation(of.ic), "Spearman's correlation of the figure with the return that followed, across the symbols of a session; the mean over the sessions. 1 foretells all, 0 nothing."],
  ["t", (of) => tenths(of.t), "The rank IC by its standard error, which counts that returns over several sessions overlap."],
  ["95 % band", band, "The rank IC lies in it with 95 % confidence. It takes three periods that do not overlap."],
  ["Hit rate", (of) => share(of.hit_rate), "The share of sessions with a positive rank IC."],
  ["Later IC", (of) => correlation(of.later_ic), "The rank IC with the part of the return since the horizon before: whether the information lasts."],
  ["A minus F", (of) => percent(of.spread), "The mean return of the symbols with an A, less that of those with an F."],
  ["t of it", (of) => tenths(of.spread_t), "A minus F by its standard error."],
  ["Turnover of A", (of) => share(of.turnover), "The share of the symbols with an A that had no A that many sessions before."],
  ["Coverage", (of) => share(of.coverage), "The share of graded symbols that have a return."],
  ["Gradings", (of) => String(of.sessions), "Gradings whose returns are in."],
];

function band({ low, high }) {
  return low === null ? MISSING : `${correlation(low)} to ${correlation(high)}`;
}

/** The table of a part's figures by horizon. */
export function measuresTable(title, figures, horizons) {
  const rows = horizons.map((horizon) => [sessions(horizon), ...MEASURES.map(([, text]) => text(figures[horizon]))]);
  const wide = element("div", "wide", [table("measures", "Measures by horizon", ["Horizon", ...MEASURES.map(([name]) => name)], rows)]);
  wide.tabIndex = 0; // a keyboard can scroll it
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", `${title}: measures by horizon`);
  return wide;
}

/** What the measures mean, as a list that one opens. */
export function measuresMeanings() {
  const list = MEASURES.flatMap(([name, , meaning]) => [element("dt", "", name), element("dd", "", meaning)]);
  return element("details", "meanings", [element("summary", "", "What the measures mean"), element("dl", "", list)]);
}
