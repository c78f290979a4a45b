// The states of a step of a batch: each has a word, a tone and a sign, so that colour is never the only difference.
import { drawing, element } from "./dom.js";

export const PASSED = [["path", { d: "m3.5 8.4 3 3 6-6.8" }]];
export const CROSS = [["path", { d: "m4 4 8 8M12 4l-8 8" }]];
export const WARNING = [["path", { d: "M8 2.5 14 13H2Z" }], ["path", { d: "M8 6.4v3M8 11.2h.01" }]];

export const CARRIED = [["path", { d: "M3 8h9M8.5 4.5 12 8l-3.5 3.5" }]];

const STATES = {
  done: ["Done", "good", PASSED],
  running: ["Running", "busy", [["path", { d: "M8 2.2a5.8 5.8 0 1 1-5.8 5.8" }]]],
  queued: ["Queued", "busy", [["circle", { cx: 8, cy: 8, r: 5.8 }], ["path", { d: "M8 4.8V8l2.2 1.6" }]]],
  paused: ["Paused", "warn", [["path", { d: "M5.5 3.5v9M10.5 3.5v9" }]]],
  failed: ["Failed", "bad", CROSS],
  blocked: ["Blocked", "bad", [["circle", { cx: 8, cy: 8, r: 5.8 }], ["path", { d: "m4 4 8 8" }]]],
  waiting: ["Waiting", "idle", [["path", { d: "M3.5 8h.01M8 8h.01M12.5 8h.01" }]]],
  superseded: ["Left out", "idle", [["path", { d: "m4 4 4 4-4 4M9 4l4 4-4 4" }]]],
  unpublished: ["Not published", "idle", [["circle", { cx: 8, cy: 8, r: 5.8, "stroke-dasharray": "2.4 2.2" }]]],
  skipped: ["Not run", "idle", [["path", { d: "M4 8h8" }]]],
  lost: ["Lost", "bad", [["path", { d: "M5.6 6a2.4 2.4 0 1 1 3.3 2.2c-.6.3-.9.7-.9 1.4M8 12.4h.01" }]]],
};

/** The word of each state. */
export const NAMES = Object.fromEntries(Object.entries(STATES).map(([state, [word]]) => [state, word]));

/** The sign and the word of a state. */
export function stateMark(state) {
  const [word, tone, parts] = STATES[state] ?? [state, "idle", STATES.waiting[2]];
  return element("span", `mark ${tone} ${state}`, [icon(parts), element("b", "", word)]);
}

/** A sign of 16 by 16. */
export function icon(parts) {
  return drawing({ viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, parts);
}

/** The checks that did not pass, by whether they block or only warn. */
export function broken(checks) {
  const failed = checks.filter((check) => !check.passed);
  return {
    blocking: failed.filter((check) => check.severity === "block"),
    warning: failed.filter((check) => check.severity !== "block"),
  };
}
