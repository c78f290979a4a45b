// The line to the server, and the word that says how it is: "Live" only while the newest grades are shown and can be loaded.
import { byId } from "./dom.js";

const WORDS = { connecting: "Connecting", live: "Live", lost: "Reconnecting", down: "Not up to date", fixed: "Chosen batch" };
const state = { open: null, loaded: null, fixed: false, refused: false };

/**
 * Listen for refresh events. What was missed while the line was down is made up for by loading when it opens.
 * A page that nobody sees gives its line up: a browser has six for all of its tabs.
 */
export function listen(heard) {
  let source = connect(heard);
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) source = connect(heard);
  });
}

function connect({ opened, refreshed, lost }) {
  const source = new EventSource("/api/events");
  source.addEventListener("open", () => { mark({ open: true }); opened(); });
  source.addEventListener("refresh", refreshed);
  source.addEventListener("error", () => { mark({ open: false }); lost(); });
  return source;
}

/** Note what has changed: whether the line is `open`, the last load has `loaded`, a `fixed` batch is shown, the address was `refused`. */
export function mark(changed) {
  Object.assign(state, changed);
  const name = state.open === null || (state.open && state.loaded === null) ? "connecting" : !state.open ? "lost" : !state.loaded ? "down" : state.fixed ? "fixed" : "live";
  byId("live").hidden = state.refused; // nothing will come
  byId("live").dataset.state = name;
  byId("live").querySelector("span").textContent = WORDS[name];
}
