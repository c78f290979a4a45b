// The choices of batch, of the batch to compare with, and of market.
import { byId, element } from "./dom.js";
import { moment } from "./format.js";

const names = new Map(); // of batches: to write the times of a thousand takes longer than the rows

/** Fill the pickers; without any batches, as from an API of one's own that lists none, they are not there. */
export function showPickers(place, batches, shown) {
  const keys = batches.map((each) => each.batch);
  const kept = batches.filter((each) => each.kept !== false).map((each) => each.batch); // of the others, the record has the grades alone
  byId("batches").hidden = kept.length < 2 && !place.batch;
  byId("compares").hidden = keys.length < 2;
  const newest = kept.length ? `Newest (${name(kept[0])})` : "Newest";
  const others = place.batch && !kept.includes(place.batch) ? [place.batch, ...kept] : kept;
  fill(byId("batch"), [[newest, ""], ...others.map((key) => [name(key), key])], place.batch);
  const before = keys.filter((key) => key !== shown);
  const compared = place.compare && !before.includes(place.compare) ? [place.compare, ...before] : before;
  fill(byId("compare"), [["The batch before", ""], ...compared.map((key) => [name(key), key])], place.compare);
}

/** Fill the market switch from [{ name }]; with one market, or none known, it is not there. */
export function showMarkets(place, markets) {
  const known = markets.filter((market) => market !== "default");
  const named = place.market && !known.includes(place.market) ? [place.market, ...known] : known;
  byId("markets").hidden = known.length === 0;
  fill(byId("market"), [["Default", ""], ...named.map((market) => [market, market])], place.market === "default" ? "" : place.market);
}

function name(key) {
  if (!names.has(key)) names.set(key, /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(key) ? moment(key) : key);
  return names.get(key);
}

function fill(select, options, chosen) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.replaceChildren(...options.map(([text, value]) => Object.assign(element("option", "", text), { value })));
    select.dataset.options = wanted;
  }
  select.value = chosen;
}
