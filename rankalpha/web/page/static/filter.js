// Which batches the table has: all, those that are not complete, those that need a person, or those with a step in a state.
import { NAMES } from "./states.js";

const NEEDS_PERSON = ["failed", "blocked", "lost", "paused"];
const CHOICES = [["", "All batches"], ["open", "Not complete"], ["person", "Needs a person"]];

/** Give a choice its options. */
export function fill(select) {
  const states = Object.entries(NAMES).filter(([state]) => state !== "done");
  select.replaceChildren(...[...CHOICES, ...states].map(([value, text]) => new Option(text, value)));
}

export function filtered(batches, chosen) {
  if (!chosen) return batches;
  if (chosen === "open") return batches.filter(({ settled }) => !settled);
  const found = chosen === "person" ? needsPerson : ({ state }) => state === chosen;
  return batches.filter(({ steps }) => steps.some(found));
}

/** Whether a step waits for somebody; one aside may be paused by whoever does without it. */
function needsPerson({ state, aside }) {
  return NEEDS_PERSON.includes(state) && !(aside && state === "paused");
}
