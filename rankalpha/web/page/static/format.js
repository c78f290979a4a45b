// Numbers and moments for people; all times are in UTC, as the batches are.
const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const OLD_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** A number as text; a text stays as it is. */
export function number(value) {
  return typeof value === "number" ? NUMBER.format(value) : value === null ? "–" : String(value);
}

/** Seconds, as "0.8 s", "42 s", "3 min 05 s", "1 h 04 min". */
export function duration(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Hours as an age: "12 min", "3.4 h", "5 days". */
export function age(hours) {
  if (hours < 1) return `${Math.max(0, Math.round(hours * 60))} min`;
  return hours < 48 ? `${NUMBER.format(Math.round(hours * 10) / 10)} h` : `${Math.round(hours / 24)} days`;
}

/** Bytes in binary units. */
export function bytes(value) {
  const step = value < 1024 ** 2 ? [1024, "KiB"] : value < 1024 ** 3 ? [1024 ** 2, "MiB"] : [1024 ** 3, "GiB"];
  const shown = value / step[0];
  return `${shown.toFixed(shown < 10 ? 1 : 0)} ${step[1]}`;
}

/** An ISO moment as "24 Nov 06:01:22". */
export function moment(text) {
  const when = new Date(text);
  return `${DAY.format(when).replace(/^\w+,? /, "")} ${when.toISOString().slice(11, 19)}`;
}

/** The day and the time of a batch's key; the day has its year unless that is the present year. */
export function batchName(key) {
  const day = new Date(`${key.slice(0, 10)}T00:00:00Z`);
  const present = day.getUTCFullYear() === new Date().getUTCFullYear();
  return [(present ? DAY : OLD_DAY).format(day), key.slice(11)];
}

/** A step for people: that of a variant as "challenger scoring". */
export function stepName(step) {
  return step.replaceAll("_", " ");
}

/** A number of things in words: "1 row", "2 rows". */
export function count(amount, thing, things = `${thing}s`) {
  return `${NUMBER.format(amount)} ${amount === 1 ? thing : things}`;
}
