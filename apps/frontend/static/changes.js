// How symbols have moved since another batch.
import { element } from "./dom.js";
import { MISSING, counted, moment, signed } from "./format.js";

/** What a move is made of; `other` is of a scorer whose parts do not explain it. */
export const PARTS = ["momentum", "value", "quality", "sentiment", "universe", "other"];

/** Give each row its move, from the API's answer about two batches; null: not known. */
export function addMoves(rows, answer) {
  const moves = new Map((answer?.changes ?? []).map((change) => [change.symbol, change]));
  for (const row of rows) row.move = answer && moves.has(row.symbol) ? moveOf(moves.get(row.symbol), answer.from) : null;
}

function moveOf(change, since) {
  const { status, before, after, rank_change: ranks } = change;
  if (status === "entered") return { ranks: null, entered: true, words: `New: not in the batch of ${moment(since)}`, change };
  const letter = before.grade === after.grade ? "" : before.grade;
  const way = ranks === 0 ? "The same rank" : `${ranks > 0 ? "Up" : "Down"} ${counted(Math.abs(ranks), "rank")}`;
  const words = `${way} since ${moment(since)}${letter ? `, from ${letter} to ${after.grade}` : ""}`;
  return { ranks, entered: false, letter, words, change };
}

/** The cell of a row's move: an arrow with the ranks, and the letter before when it was another. */
export function moveMark(row) {
  const { move } = row;
  if (!move) return element("span", "none", MISSING);
  if (move.entered) return element("span", "move", [element("span", "new", "new")]);
  const tone = move.ranks > 0 ? "positive" : move.ranks < 0 ? "negative" : "none";
  const arrow = element("span", "arrow-of", move.ranks > 0 ? "▲" : move.ranks < 0 ? "▼" : "=");
  arrow.setAttribute("aria-hidden", "true");
  return element("span", `move ${tone}`, [
    arrow,
    move.ranks ? element("span", "number", String(Math.abs(move.ranks))) : null,
    element("span", "unseen", move.words),
    move.letter ? element("small", "from", `from ${move.letter}`) : null,
  ]);
}

/** What a move of the composite is made of, in words: "momentum +1.20, universe −0.10". */
export function splitWords(parts) {
  if (!parts) return "";
  const moved = PARTS.filter((name) => Math.abs(parts[name] ?? 0) >= 0.005);
  return moved.map((name) => `${name} ${signed(parts[name], 2)}`).join(", ") || "nothing";
}
