// The lines of the last closes come apart from the grades: of 5,000 symbols they are two thirds of the bytes.
import { ask, readIfThere } from "./api.js";

const TOGETHER = 200; // symbols of one request
const WAIT = 60; // milliseconds, so that a scroll asks once

export class Sparklines {
  /** `arrived` is called with the symbols whose closes have come. */
  constructor(arrived) {
    this.arrived = arrived;
    this.rows = new Map();
  }

  /** Begin with other grades; those of an API that sends the closes along lack none. */
  begin(ranking, place) {
    if (ranking === this.ranking) return;
    this.ranking = ranking;
    clearTimeout(this.timer);
    this.place = { batch: ranking.batch, market: place.market };
    const apart = ranking.grades.every((row) => !row.sparkline?.length);
    this.rows = new Map(apart ? ranking.grades.map((row) => [row.symbol, row]) : []);
    for (const row of this.rows.values()) row.sparkline = null;
    this.asked = new Set();
    this.whole = null; // the place whose closes were all asked for
  }

  /** Whether some are not there yet. */
  get lacking() {
    return this.rows.size > 0;
  }

  /** Ask for the closes of rows that are drawn. */
  want(rows) {
    for (const row of rows) if (this.rows.has(row.symbol)) this.asked.add(row.symbol);
    if (!this.asked.size) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), WAIT);
  }

  async load() {
    const { place } = this;
    const symbols = [...this.asked].slice(0, TOGETHER);
    this.asked.clear();
    const answer = await readIfThere("sparklines", { ...place, symbols: symbols.join(",") });
    if (place === this.place) this.take(symbols, answer?.sparklines ?? {});
  }

  /** Ask for all, because the table is sorted or filtered by them. */
  async all() {
    const { place } = this;
    if (this.whole === place) return; // they are on their way
    this.whole = place;
    const ranking = await ask("/api/ranking", place);
    if (place !== this.place) return;
    this.take([...this.rows.keys()], Object.fromEntries(ranking.grades.map((row) => [row.symbol, row.sparkline])));
  }

  take(symbols, closes) {
    for (const symbol of symbols) {
      const row = this.rows.get(symbol);
      if (!row) continue;
      row.sparkline = closes[symbol] ?? [];
      row.trend = undefined;
      this.rows.delete(symbol);
    }
    this.arrived(symbols);
  }
}
