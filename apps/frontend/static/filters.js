// Which rows are shown, in which order, and the controls that choose it.
import { columnOf } from "./columns.js";
import { byId, element } from "./dom.js";
import { RANGES } from "./place.js";

const ORDER = new Intl.Collator("en");

/** The rows that a place shows, in its order. */
export function rowsOf(grades, place) {
  const column = columnOf(place.sort);
  const direction = place.descending ? -1 : 1;
  const keyed = grades.filter(matcher(place)).map((row) => [column.value(row), row]);
  keyed.sort(([a, one], [b, other]) => compare(a, b, direction) || one.rank - other.rank);
  return keyed.map(([, row]) => row);
}

function matcher({ filter, grades, sector, ranges }) {
  const wanted = filter.trim().toUpperCase();
  const spans = Object.entries(ranges).map(([key, span]) => [columnOf(key).value, ...span]);
  return (row) =>
    (!wanted || row.symbol.toUpperCase().includes(wanted) || (row.name ?? "").toUpperCase().includes(wanted)) &&
    (!grades.length || grades.includes(row.grade)) &&
    (!sector || row.sector === sector) &&
    spans.every(([value, low, high]) => within(value(row), low, high));
}

/** Whether a value lies in a range; one that is missing lies in none. */
function within(value, low, high) {
  return value !== null && (low === null || value >= low) && (high === null || value <= high);
}

/** Order two values; what is missing comes last in either direction. */
function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "string") return direction * ORDER.compare(a, b);
  return direction * (a - b);
}

/** How many filters are on, beside the text and the letters. */
function counted(place) {
  return Object.keys(place.ranges).length + (place.sector ? 1 : 0);
}

/** Make the fields of the ranges; `changed` is called with the place's new ranges. */
export function makeRanges(changed) {
  const fields = RANGES.map((column) => {
    const unit = column.unit ? `, ${column.unit}` : "";
    const pair = ["from", "to"].map((end, index) => {
      const input = element("input");
      Object.assign(input, { type: "number", step: "any", placeholder: String(column.range[index]).replace("-", "−"), inputMode: "decimal" });
      input.setAttribute("aria-label", `${column.label}${unit}, ${end}`);
      input.dataset.range = `${column.key}.${index}`;
      input.addEventListener("input", () => changed(readRanges()));
      return input;
    });
    return element("div", "range", [element("span", "", column.label + unit), pair[0], element("span", "", "to"), pair[1]]);
  });
  byId("ranges").replaceChildren(...fields);
}

function readRanges() {
  const found = {};
  for (const { key } of RANGES) {
    const [low, high] = [0, 1].map((end) => {
      const { value } = fieldOf(key, end);
      return value === "" ? null : Number(value);
    });
    if (low !== null || high !== null) found[key] = [low, high];
  }
  return found;
}

function fieldOf(key, end) {
  return document.querySelector(`[data-range="${key}.${end}"]`);
}

/** Write a value into a field, unless that says the same: a number that is being typed may end with a zero. */
function put(field, value) {
  const same = field.type === "number" && field.value !== "" && value !== "" && Number(field.value) === Number(value);
  if (!same && field.value !== value) field.value = value;
}

/** Show a place's filters in the controls. */
export function showFilters(place, sectors) {
  put(byId("filter"), place.filter);
  for (const { key } of RANGES) [0, 1].forEach((end) => put(fieldOf(key, end), String(place.ranges[key]?.[end] ?? "")));
  const known = place.sector && !sectors.includes(place.sector) ? [place.sector, ...sectors] : sectors;
  const options = [new Option("All sectors", ""), ...known.map((sector) => new Option(sector, sector))];
  if (byId("sector").length !== options.length) byId("sector").replaceChildren(...options);
  byId("sector").value = place.sector;
  byId("sectors").hidden = known.length === 0;
  const on = counted(place);
  byId("filters-on").textContent = on ? ` (${on})` : "";
}
