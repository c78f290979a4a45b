// The record: how well the grades have foretold returns. Published grades and the backtest stand apart.
import { columnsChart } from "./columns_chart.js";
import { byId, element, table } from "./dom.js";
import { MISSING, counted, day, moment, signed } from "./format.js";

const PARTS = [["live", "Published grades", "published"], ["backtest", "Backtest of the method", "backtest"]];
const chosen = { live: "composite", backtest: "score", horizon: "21" };
let drawn = ""; // the answer and the choices that are shown

/** Show the tabs where the API has a record, and the record itself where the place says so. */
export function showRecord(record, place, address) {
  const shows = Boolean(record) && place.view === "record";
  byId("tabs").hidden = !record;
  byId("record").hidden = !shows;
  for (const [id, view] of [["tab-ranking", ""], ["tab-record", "record"]]) {
    byId(id).href = address({ ...place, view, symbol: "" });
    if ((shows ? "record" : "") === view) byId(id).setAttribute("aria-current", "page");
    else byId(id).removeAttribute("aria-current");
  }
  if (shows) draw(record);
}

function draw(record) {
  const state = JSON.stringify([record.batch, record.as_of, chosen]);
  if (state === drawn && byId("record").childElementCount) return;
  drawn = state;
  const horizons = record.horizons.map(String);
  if (!horizons.includes(chosen.horizon)) chosen.horizon = horizons.at(-1);
  byId("record").replaceChildren(
    element("div", "tools", [
      choice("Horizon", "horizon", horizons.map((horizon) => [sessions(horizon), horizon]), record),
      element("span", "count", `Evaluated for ${moment(record.batch)}, ${counted(record.symbols, "symbol")}`),
    ]),
    ...PARTS.map((part) => partOf(...part, record)),
  );
}

/** A select for one of the choices. */
function choice(label, name, options, record) {
  const select = element("select", "");
  select.append(...options.map(([text, value]) => new Option(text, value)));
  select.value = chosen[name];
  select.id = `record-${name}`;
  select.addEventListener("change", () => {
    chosen[name] = select.value;
    draw(record);
    byId(`record-${name}`).focus();
  });
  return element("label", "pick", [`${label} `, select]);
}

function partOf(kind, title, name, record) {
  const part = record[kind];
  const names = Object.keys(part.figures);
  if (!names.includes(chosen[kind])) chosen[kind] = names[0];
  const figures = part.figures[chosen[kind]] ?? {};
  const limits = part.limits.length ? element("ul", "limits", part.limits.map((limit) => element("li", "", limit))) : null;
  const head = element("h2", "", title);
  const when = part.first ? `${counted(part.gradings, "grading")}, ${day(part.first)} to ${day(part.last)}` : "No gradings yet";
  const every = part.every ? `, one in ${counted(part.every, "session")}` : "";
  const about = element("p", "about", `${when}${every}.`);
  if (!Object.values(figures).some((measures) => measures.sessions)) {
    const why = "No returns are in yet: a grading counts as soon as its horizon has passed.";
    return element("section", `part ${name}`, [head, about, element("p", "nothing", why), limits]);
  }
  return element("section", `part ${name}`, [
    head, about, names.length > 1 ? choice("Figure", kind, names.map((name) => [name, name]), record) : null,
    element("div", "charts", chartsOf(figures, record.horizons)), measuresTable(title, figures, record.horizons), limits,
  ]);
}

function chartsOf(figures, horizons) {
  const of = figures[chosen.horizon];
  const ics = horizons.map((horizon) => ({ label: String(horizon), value: figures[horizon].ic, low: figures[horizon].low, high: figures[horizon].high }));
  const letters = Object.entries(of.returns).map(([label, value]) => ({ label, value, className: `letter-${label}` }));
  const periods = of.by_period.map(({ period, ic }) => ({ label: period, value: ic }));
  return [
    columnsChart("Rank IC by sessions, with its 95 % band", ics, (value) => signed(value, 3)),
    columnsChart(`Mean return over ${sessions(chosen.horizon)} by letter`, letters, percent),
    columnsChart(`Rank IC over ${sessions(chosen.horizon)} by time`, periods, (value) => signed(value, 2)),
  ].filter(Boolean);
}

function measuresTable(title, figures, horizons) {
  const heads = ["Horizon", "Rank IC", "t", "95 % band", "Hit rate", "Next period", "A minus F", "t of it", "Turnover of A", "Coverage", "Gradings"];
  const rows = horizons.map((horizon) => {
    const of = figures[horizon];
    const band = of.low === null ? MISSING : `${signed(of.low, 3)} to ${signed(of.high, 3)}`;
    return [
      sessions(horizon), or(of.ic, (value) => signed(value, 3)), or(of.t, (value) => signed(value, 1)), band, or(of.hit_rate, share),
      or(of.later_ic, (value) => signed(value, 3)), or(of.spread, percent), or(of.spread_t, (value) => signed(value, 1)),
      or(of.turnover, share), or(of.coverage, share), of.sessions,
    ];
  });
  const wide = element("div", "wide", [table("measures", "Measures by horizon", heads, rows)]);
  wide.tabIndex = 0; // a keyboard can scroll it
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", `${title}: measures by horizon`);
  return wide;
}

const sessions = (horizon) => counted(Number(horizon), "session");
const percent = (value) => `${signed(value * 100, 2)} %`;
const share = (value) => `${Math.round(value * 100)} %`;
const or = (value, write) => (value === null || value === undefined ? MISSING : write(value));
