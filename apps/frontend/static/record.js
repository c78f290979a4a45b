// The record: how well the grades have foretold returns. Published grades and the backtest stand apart.
import { columnsChart } from "./columns_chart.js";
import { byId, element } from "./dom.js";
import { capital, counted, day, moment, signed } from "./format.js";
import { measuresMeanings, measuresTable, percent, sessions } from "./measures.js";

const PARTS = [["live", "Published grades", "published"], ["backtest", "Backtest of the method", "backtest"]];
const NOT_YET = {
  title: "No record yet",
  text: "The record appears here by itself, as soon as the grades of a batch have been evaluated.",
};
const chosen = { live: "composite", backtest: "score", horizon: "21" };
let drawn = ""; // the answer and the choices that are shown

/** Show the tabs where there is a record, and the record itself where the place says so; `full` is null while it loads. */
export function showRecord(record, place, address, full) {
  const shows = place.view === "record";
  byId("tabs").hidden = !record && !shows;
  byId("record").hidden = !shows;
  for (const [id, view] of [["tab-ranking", ""], ["tab-record", "record"]]) {
    byId(id).href = address({ ...place, view, symbol: "" });
    if ((shows ? "record" : "") === view) byId(id).setAttribute("aria-current", "page");
    else byId(id).removeAttribute("aria-current");
  }
  if (!shows) return;
  if (record) draw(record);
  else absent(full === null);
}

/** Say that the record loads, or that there is none. */
function absent(loads) {
  drawn = "";
  const parts = loads ? [element("p", "loading", "Loading…")] : [element("h2", "", NOT_YET.title), element("p", "", NOT_YET.text)];
  byId("record").replaceChildren(element("div", "part", parts));
}

function draw(record) {
  const state = JSON.stringify([record, chosen]);
  if (state === drawn) return;
  drawn = state;
  const horizons = record.horizons.map(String);
  if (!horizons.includes(chosen.horizon)) chosen.horizon = horizons.at(-1);
  byId("record").replaceChildren(
    element("div", "tools", [
      choice("Horizon", "horizon", horizons.map((horizon) => [sessions(horizon), horizon]), record),
      element("span", "count", `Evaluated for ${moment(record.batch)}, ${counted(record.symbols, "symbol")}`),
    ]),
    ...PARTS.map((part) => partOf(...part, record)),
    measuresMeanings(),
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
  const limits = part.limits.length ? element("ul", "limits", part.limits.map((limit) => element("li", "", capital(limit)))) : null;
  const head = element("h2", "", title);
  const when = part.first ? `${counted(part.gradings, "grading")}, ${day(part.first)} to ${day(part.last)}` : "No gradings yet";
  const every = part.every ? `, one in ${counted(part.every, "session")}` : "";
  const about = element("p", "about", `${when}${every}.`);
  if (!Object.values(figures).some((measures) => measures.sessions)) {
    const why = "No returns are in yet: a grading counts as soon as its horizon has passed.";
    return element("section", `part ${name}`, [head, about, element("p", "nothing", why), limits]);
  }
  const late = figures[chosen.horizon].sessions ? null : `No returns over ${sessions(chosen.horizon)} are in yet.`;
  return element("section", `part ${name}`, [
    head, about, names.length > 1 ? choice("Figure", kind, names.map((each) => [capital(each), each]), record) : null,
    late && element("p", "late-returns", late),
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
