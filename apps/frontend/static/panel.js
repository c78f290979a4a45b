// The panel of a symbol: price with the grades on it, why the grade is what it is, headlines, history.
import { read, readIfThere } from "./api.js";
import { letterBadge } from "./columns.js";
import { byId, button, element } from "./dom.js";
import { sentence } from "./format.js";
import { chartSection, headlinesSection, historySection, missingSection, moveSection, standing } from "./parts.js";
import { rowSection, signalsSection, whySection } from "./why.js";

const HISTORY = 250; // batches; a year of sessions
const CLOSES = 5 * 252; // those of the value signal

export class Panel {
  /** `turn` is called with -1 or 1 to show the symbol before or after, `closed` when a person closes it. */
  constructor({ turn, closed }) {
    this.dialog = byId("panel");
    this.shown = ""; // what the panel is about: symbol, batch and market
    const buttons = [
      button("turn", "↑", () => turn(-1)), button("turn", "↓", () => turn(1)), button("close", "✕", () => this.dialog.close()),
    ];
    ["Symbol above in the table", "Symbol below in the table", "Close"].forEach((name, index) => {
      buttons[index].setAttribute("aria-label", name);
      buttons[index].title = name;
    });
    byId("panel-buttons").replaceChildren(...buttons);
    this.dialog.addEventListener("close", () => { this.stop(); closed(); });
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  /** Show a symbol of the ranking; `row` is null for one that is not in it, `full` whether the API knows more than the row. */
  open(symbol, row, { batch, market, full, total }) {
    const about = JSON.stringify([symbol, batch, market, full, row?.rank, row?.composite, row?.move?.words]);
    if (this.dialog.open && this.shown === about) return;
    const same = this.dialog.open && JSON.parse(this.shown || "[]")[0] === symbol;
    this.shown = about;
    this.symbol = symbol;
    byId("panel-title").textContent = symbol;
    byId("panel-about").textContent = [row?.name, row?.sector].filter(Boolean).join(" · ");
    byId("panel-badge").replaceChildren(...(row ? [letterBadge(row.grade, "large")] : []));
    if (!this.dialog.open) this.dialog.showModal();
    if (!same) this.dialog.querySelector(".scroll").scrollTop = 0;
    if (full) this.load(symbol, row, { batch, market, total });
    else if (full === null) this.fill([row ? standing(row, total) : null, element("p", "loading", "Loading…")]);
    else this.fill([row ? standing(row, total) : notThere(symbol), row ? rowSection(row) : null, row ? moveSection(row.move) : null]);
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  stop() {
    this.asking?.abort();
    this.shown = "";
  }

  async load(symbol, row, asked) {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const place = { batch: asked.batch, market: asked.market };
    const address = `symbols/${encodeURIComponent(symbol)}`;
    byId("panel-body").setAttribute("aria-busy", "true");
    if (!byId("panel-body").childElementCount || this.filled !== symbol) this.fill([element("p", "loading", "Loading…")]);
    try {
      const [about, past] = await Promise.all([
        read(address, { ...place, closes: CLOSES }, signal).catch((error) => { if (error.status === 404) return null; throw error; }),
        readIfThere(`${address}/history`, { market: asked.market, limit: HISTORY }, signal),
      ]);
      this.show(symbol, row, about, past?.history ?? [], asked.total);
    } catch (error) {
      if (error.name !== "AbortError") this.fail(symbol, row, asked, error);
    }
  }

  show(symbol, row, about, past, total) {
    if (about) byId("panel-about").textContent = [about.name, about.sector].filter(Boolean).join(" · ");
    this.fill([
      row ? standing(row, total) : notThere(symbol),
      chartSection(about?.prices ?? [], past, this.dialog.clientWidth),
      about?.why ? whySection(about.why) : row ? rowSection(row) : null,
      row ? moveSection(row.move) : null,
      signalsSection(about?.signals),
      headlinesSection(about?.headlines),
      historySection(past),
      missingSection(about?.missing),
    ], symbol);
  }

  fail(symbol, row, asked, error) {
    const again = button("again", "Load again", () => this.load(symbol, row, asked));
    this.fill([
      element("p", "refusal", `More about ${symbol} cannot be loaded. ${sentence(error.message)}`), again,
      row ? standing(row, asked.total) : null, row ? rowSection(row) : null,
    ]);
    byId("panel-body").querySelector(".refusal").setAttribute("role", "alert");
  }

  fill(parts, symbol = null) {
    this.filled = symbol;
    byId("panel-body").setAttribute("aria-busy", "false");
    byId("panel-body").replaceChildren(...parts.filter(Boolean));
  }
}

function notThere(symbol) {
  return element("p", "standing", `${symbol} is not in this ranking.`);
}
