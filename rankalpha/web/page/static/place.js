// Where the page is, in the hash of its address: #market/batch/step, without the market when there is only one. Two batches
// that are compared are #market/batch..batch, and a variant is #market/~variant.
import { uiAddress } from "./api.js";

const KEY = /^\d{4}-\d\d-\d\dT/;
const VARIANT = "~"; // which no name begins with
const FRAME = "plugin/rankalpha/rankalpha/page/"; // of the page in Airflow's own frame

/** The market, variant, batch, step and compared batch of the address; each is empty when the address does not name it. */
export function placeOf(hash) {
  const parts = decoded(hash.slice(1)).split("/");
  const market = KEY.test(parts[0]) || parts[0].startsWith(VARIANT) ? "" : parts.shift();
  const variant = parts[0]?.startsWith(VARIANT) ? parts.shift().slice(1) : "";
  const [batches = "", name = null] = parts;
  const [batch, other = null] = batches.split("..");
  return { market, variant, batch, name, other };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray %, which is part of no name
  }
}

/** The hash of a place; empty for the batches of the first market. */
export function hashOf({ market, variant, batch, name, other }) {
  const parts = [market, variant && VARIANT + variant, other ? `${batch}..${other}` : batch, name].filter(Boolean).join("/");
  return parts ? `#${parts}` : "";
}

/** Write a place to the address. */
export function setPlace(place) {
  history.replaceState(null, "", hashOf(place) || location.pathname + location.search);
}

/** The address of a place for other people: of Airflow's frame when the page is in it. */
export function addressOf(place) {
  return parent === window ? location.href.split("#")[0] + hashOf(place) : uiAddress(FRAME + hashOf(place));
}
