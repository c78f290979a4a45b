// Where the page is, in the hash of its address: #market/batch/step, without the market as long as there is but one.
const KEY = /^\d{4}-\d\d-\d\dT/;

/** The market, batch and step of the address; empty when it names none. */
export function placeOf(hash) {
  const parts = decodeURIComponent(hash.slice(1)).split("/");
  const market = KEY.test(parts[0]) ? "" : parts.shift();
  const [batch = "", name = null] = parts;
  return { market, batch, name };
}

/** Write a place to the address. */
export function setPlace(market, batch = "", name = null) {
  const parts = [market, batch, name].filter(Boolean).join("/");
  history.replaceState(null, "", parts ? `#${parts}` : location.pathname + location.search);
}
