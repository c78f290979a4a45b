// How numbers and times are written.
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", timeZone: "UTC" });

export const MISSING = "–";

/** Number with its sign and a real minus. */
export function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return (value < 0 ? "−" : "+") + text;
}

/** Number with digits and a real minus; a dash for what is missing. */
export function number(value, digits = 1) {
  if (value === null || value === undefined) return MISSING;
  return value.toFixed(digits).replace("-", "−");
}

/** Day of an ISO date or time, such as 22 Nov 2026. */
export function day(text) {
  return DAY.format(new Date(`${text.slice(0, 10)}T00:00:00Z`));
}

/** Weekday of an ISO date. */
export function weekday(text) {
  return WEEKDAY.format(new Date(`${text.slice(0, 10)}T00:00:00Z`));
}

/** A batch key as a person reads it, such as 22 Nov 2026, 06:00 UTC. */
export function moment(batch) {
  return `${day(batch)}, ${batch.slice(11, 16)} UTC`;
}

/** A number with its noun, "1 row", "2 rows". */
export function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** A text with a capital at its start. */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A text as a sentence: a capital at its start, a full stop at its end. */
export function sentence(text) {
  return capital(text.trim().replace(/\.?$/, "."));
}
