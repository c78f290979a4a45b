// Where the page is, in the hash of its address: #market/batch/step, without the market when there is only one.
const KEY = /^\d{4}-\d\d-\d\dT/;

/** The market, batch and step of the address; each is empty when the address does not name it. */
export function placeOf(hash) {
  const parts = decoded(hash.slice(1)).split("/");
  const market = KEY.test(parts[0]) ? "" : parts.shift();
  const [batch = "", name = null] = parts;
  return { market, batch, name };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray %, which is part of no name
  }
}

/** Write a place to the address. */
export function setPlace(market, batch = "", name = null) {
  const parts = [market, batch, name].filter(Boolean).join("/");
  history.replaceState(null, "", parts ? `#${parts}` : location.pathname + location.search);
}
