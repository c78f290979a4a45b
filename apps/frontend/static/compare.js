// Two batches side by side: who has moved the most, and what the moves are made of.
import { PARTS } from "./changes.js";
import { letterBadge } from "./columns.js";
import { byId, element, link, table } from "./dom.js";
import { counted, moment, number, signed } from "./format.js";

const MOST = 10;

/** Show the comparison, or hide it: null when no batch is chosen to compare with. */
export function showComparison(answer) {
  const parent = byId("comparison");
  parent.hidden = !answer;
  if (!answer) return parent.replaceChildren();
  const of = (status) => answer.changes.filter((change) => change.status === status);
  const stayed = of("stayed");
  const letters = stayed.filter((change) => change.before.grade !== change.after.grade).length;
  const largest = stayed.filter((change) => change.move).sort((one, other) => Math.abs(other.move) - Math.abs(one.move)).slice(0, MOST);
  parent.replaceChildren(
    element("h2", "", `From ${moment(answer.from)} to ${moment(answer.to)}`),
    element("p", "", `${counted(stayed.length, "symbol")} in both, ${letters} with another letter.`),
    ...named("Entered", of("entered")), ...named("Left", of("left")),
    largest.length ? movesOf(largest) : element("p", "", "No composite has changed."),
  );
}

function named(word, changes) {
  if (!changes.length) return [];
  const shown = changes.slice(0, 2 * MOST);
  const links = shown.flatMap(({ symbol }, index) => [index ? ", " : " ", link("open", symbol, `#${encodeURIComponent(symbol)}`)]);
  const more = changes.length > shown.length ? ` and ${changes.length - shown.length} more` : "";
  return [element("p", "", [`${word}:`, ...links, more])];
}

function movesOf(changes) {
  const parts = PARTS.filter((name) => name !== "other" || changes.some((change) => change.parts?.other));
  const rows = changes.map((change) => [
    link("open", change.symbol, `#${encodeURIComponent(change.symbol)}`),
    element("span", "pair", [letterBadge(change.before.grade, "small"), "→", letterBadge(change.after.grade, "small")]),
    `${number(change.before.composite, 1)} → ${number(change.after.composite, 1)}`,
    signed(change.move, 2),
    ...parts.map((name) => (change.parts ? signed(change.parts[name], 2) : "–")),
  ]);
  const heads = ["Symbol", "Grade", "Composite", "Move", ...parts.map((name) => name[0].toUpperCase() + name.slice(1))];
  const scroll = element("div", "wide", [table("moves", "The largest moves, and what they are made of", heads, rows)]);
  scroll.tabIndex = 0; // a keyboard can scroll it
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "The largest moves");
  return scroll;
}
