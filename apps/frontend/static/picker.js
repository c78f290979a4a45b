// The choices of batch, of the batch to compare with, and of market.
import { byId, element } from "./dom.js";
import { moment } from "./format.js";

/** Fill the pickers; without any batches, as from an API of one's own that lists none, they are not there. */
export function showPickers(place, batches, shown) {
  const keys = batches.map((each) => each.batch);
  byId("batches").hidden = keys.length < 2 && !place.batch;
  byId("compares").hidden = keys.length < 2;
  const newest = keys.length ? `Newest (${moment(keys[0])})` : "Newest";
  const others = place.batch && !keys.includes(place.batch) ? [place.batch, ...keys] : keys;
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
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(key) ? moment(key) : key;
}

function fill(select, options, chosen) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.replaceChildren(...options.map(([text, value]) => Object.assign(element("option", "", text), { value })));
    select.dataset.options = wanted;
  }
  select.value = chosen;
}
