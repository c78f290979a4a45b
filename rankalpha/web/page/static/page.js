// Loads the overview every ten seconds and draws what has changed.
import { overview } from "./api.js";
import { fill, filtered } from "./filter.js";
import { renderGraph } from "./graph.js";
import { renderHead, renderRows } from "./grid.js";
import { link, rankingLink } from "./links.js";
import { Panel } from "./panel.js";
import { placeOf, setPlace } from "./place.js";
import { button } from "./dom.js";
import { Views } from "./views.js";
import { renderComponents, renderDatasets, renderIncidents, summary } from "./strips.js";

const EVERY = 10_000;
const at = (id) => document.getElementById(id);
let shown = null; // the newest overview
let market = ""; // the first
let timer = 0;
const views = new Views(at("views"), at("content"), at("variant"));

const panel = new Panel(at("panel"), () => shown, (sentence) => {
  at("panel").close();
  at("toast").textContent = sentence;
  at("toast").hidden = false;
  setTimeout(() => (at("toast").hidden = true), 8000);
  load();
});

/** Show the market and open the batch that the address names. */
async function follow() {
  const { market: named, variant, batch, name, other } = placeOf(location.hash);
  panel.dismiss();
  market = named;
  views.variant = variant;
  await load();
  if (batch && shown && market === named) panel.open(batch, name, other);
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
  const { batches, datasets, incidents, components, now, days } = shown;
  at("state").hidden = true;
  views.draw(shown, market);
  drawMarkets();
  at("summary").textContent = summary(batches, days, shown.session);
  renderIncidents(at("incidents"), incidents);
  renderDatasets(at("datasets"), datasets, now);
  renderGraph(at("graph"), batches[0], (name) => panel.open(batches[0].batch, name));
  drawRanking();
  renderHead(at("columns"), batches);
  drawRows();
  renderComponents(at("components"), components, now);
  panel.update();
}

/** The batches that the filter lets through. */
function drawRows() {
  const { batches, now } = shown;
  const found = filtered(batches, at("shown").value);
  renderRows(at("rows"), found, now, (key, name) => panel.open(key, name));
  at("nothing").hidden = found.length > 0;
  at("nothing").textContent = batches.length
    ? `None of these batches: ${at("shown").selectedOptions[0].text}.`
    : `No batch yet. The next one starts at ${shown.market.starts}, or when ${shown.market.ingestion} is triggered.`;
}

/** The link to the ranking page, where its address is known. */
function drawRanking() {
  const { ranking, markets, market: { name } } = shown;
  const known = ranking ? rankingLink("Ranking", ranking, markets.length > 1 ? name : "") : null;
  if (at("ranking").firstChild?.href !== known?.href) at("ranking").replaceChildren(...(known ? [known] : []));
}

/** Which market is shown; hidden when there is only one. */
function drawMarkets() {
  const names = shown.markets;
  at("markets").hidden = names.length < 2;
  if (at("market").length !== names.length) at("market").replaceChildren(...names.map((name) => new Option(name, name)));
  at("market").value = shown.market.name;
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
  views.hide();
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
  views.variant = "";
  setPlace({ market });
  load();
}

fill(at("shown"));
at("days").addEventListener("change", load);
at("shown").addEventListener("change", () => shown && drawRows());
at("market").addEventListener("change", () => choose(at("market").value));
addEventListener("hashchange", follow);
document.addEventListener("visibilitychange", () => document.hidden || load());
await follow();
