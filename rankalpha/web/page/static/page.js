// Loads the overview every ten seconds and draws what has changed.
import { overview } from "./api.js";
import { renderHead, renderRows } from "./grid.js";
import { link } from "./links.js";
import { Panel } from "./panel.js";
import { placeOf, setPlace } from "./place.js";
import { button } from "./dom.js";
import { renderComponents, renderDatasets, renderIncidents, summary } from "./strips.js";

const EVERY = 10_000;
const at = (id) => document.getElementById(id);
let shown = null; // the newest overview
let market = ""; // the first
let timer = 0;

const panel = new Panel(at("panel"), (sentence) => {
  at("panel").close();
  at("toast").textContent = sentence;
  at("toast").hidden = false;
  setTimeout(() => (at("toast").hidden = true), 8000);
  load();
});

/** Show the market and open the batch that the address names. */
async function follow() {
  const { market: named, batch, name } = placeOf(location.hash);
  panel.dismiss();
  market = named;
  await load();
  if (batch && shown && market === named) open(batch, name);
}

async function load() {
  clearTimeout(timer);
  const asked = market;
  try {
    const answer = await overview(at("days").value, asked);
    if (asked !== market) return; // another market was chosen meanwhile, and is being loaded
    shown = answer;
    draw();
    live("live", `As of ${answer.now.slice(11, 19)} UTC`);
    at("banner").hidden = true;
  } catch (error) {
    if (asked !== market) return;
    if (error.markets) shown = null;
    trouble(error);
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(load, EVERY);
}

function draw() {
  const { batches, datasets, incidents, components, now, days, user } = shown;
  at("content").hidden = false;
  at("state").hidden = true;
  drawMarkets();
  at("summary").textContent = summary(batches, days, shown.session);
  renderIncidents(at("incidents"), incidents);
  renderDatasets(at("datasets"), datasets, now);
  renderHead(at("columns"), batches);
  renderRows(at("rows"), batches, now, open);
  at("nothing").hidden = batches.length > 0;
  at("nothing").textContent = `No batch yet. The next one starts at ${shown.market.starts}, or when ${shown.market.ingestion} is triggered.`;
  renderComponents(at("components"), components, now);
  const batch = panel.shown && batches.find(({ batch: key }) => key === panel.shown.batch);
  if (batch) panel.update(batch, user);
}

/** Which market is shown; hidden when there is only one. */
function drawMarkets() {
  const names = shown.markets;
  at("markets").hidden = names.length < 2;
  if (at("market").length !== names.length) at("market").replaceChildren(...names.map((name) => new Option(name, name)));
  at("market").value = shown.market.name;
}

function open(key, name) {
  const batch = shown.batches.find((found) => found.batch === key);
  if (batch) panel.open(batch, name, shown.user, shown.markets.length > 1 ? shown.market.name : "");
}

function live(state, text) {
  at("live").dataset.state = state;
  at("live").lastElementChild.textContent = text;
}

/** Show what is wrong; what was loaded before stays, with its time. */
function trouble(error) {
  live("lost", shown ? `As of ${shown.now.slice(11, 19)} UTC` : "Not loaded");
  const [title, text, action] = advice(error);
  if (shown && error.status !== 401) {
    at("banner").textContent = `${title}. ${text}`;
    at("banner").hidden = false;
    return;
  }
  at("content").hidden = true;
  at("banner").hidden = true;
  at("summary").textContent = "";
  at("state").hidden = false;
  at("state-title").textContent = title;
  at("state-text").textContent = text;
  at("state-action").replaceChildren(action);
}

function advice(error) {
  if (error.status === 401) {
    const text = "Sign in to Airflow; this page then shows what you may see.";
    return ["You are not signed in", text, link("Sign in", "api/v2/auth/login")];
  }
  if (error.markets) {
    const [first] = error.markets;
    return ["There is no such market", `${error.message} Known markets: ${error.markets.join(", ")}.`, button("act", `Show ${first}`, () => choose(first))];
  }
  const again = button("act", "Try again", load);
  if (error.status === 403) return ["Your role may not see this", error.message, again];
  return ["The batches cannot be loaded", error.message, again];
}

function choose(name) {
  market = name;
  setPlace(market);
  load();
}

at("days").addEventListener("change", load);
at("market").addEventListener("change", () => choose(at("market").value));
addEventListener("hashchange", follow);
document.addEventListener("visibilitychange", () => document.hidden || load());
await follow();
