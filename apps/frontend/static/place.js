// What the page shows, in its address:
// ?market=nyse&batch=…&compare=…&view=record&q=bank&grade=AB&sector=Energy&momentum=60..&sort=-value#XOM
import { COLUMNS, LETTERS, columnOf } from "./columns.js";

const RANGE = /^(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?$/;
export const RANGES = COLUMNS.filter((column) => column.range);

/** Read an address. What it does not name, or names wrongly, is as on the page that one opens first. */
export function read({ search, hash } = location) {
  const query = new URLSearchParams(search);
  const sort = query.get("sort") ?? "rank";
  const known = columnOf(sort.replace(/^-/, ""));
  return {
    market: query.get("market") ?? "",
    batch: query.get("batch") ?? "",
    compare: query.get("compare") ?? "",
    view: query.get("view") ?? "",
    filter: query.get("q") ?? "",
    grades: LETTERS.filter((letter) => (query.get("grade") ?? "").includes(letter)),
    sector: query.get("sector") ?? "",
    ranges: rangesOf(query),
    sort: known ? known.key : "rank",
    descending: known ? sort.startsWith("-") : false,
    symbol: decoded(hash.slice(1)),
  };
}

function rangesOf(query) {
  const found = {};
  for (const { key } of RANGES) {
    const [, low, high] = RANGE.exec(query.get(key) ?? "") ?? [];
    if (low || high) found[key] = [low ? Number(low) : null, high ? Number(high) : null];
  }
  return found;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray %, which is part of no symbol
  }
}

/** The address of a place; what is as on the first page is left out. */
export function address(place) {
  const query = new URLSearchParams();
  const add = (name, value) => value && query.set(name, value);
  add("market", place.market);
  add("batch", place.batch);
  add("compare", place.compare);
  add("view", place.view);
  add("q", place.filter.trim());
  add("grade", place.grades.join(""));
  add("sector", place.sector);
  for (const [key, [low, high]] of Object.entries(place.ranges)) add(key, `${low ?? ""}..${high ?? ""}`);
  if (place.sort !== "rank" || place.descending) add("sort", (place.descending ? "-" : "") + place.sort);
  const search = query.size ? `?${query.toString().replaceAll("%3A", ":")}` : location.pathname;
  return search + (place.symbol ? `#${encodeURIComponent(place.symbol)}` : "");
}

/** Write a place to the address; `step` makes one that the back button leads back from. */
export function write(place, step) {
  const text = address(place);
  if (text === address(read())) return;
  if (step) history.pushState({ opened: Boolean(place.symbol) }, "", text);
  else history.replaceState(history.state, "", text);
}
