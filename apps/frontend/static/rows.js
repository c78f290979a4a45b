// The rows of the table. Only those on the screen and some around them are in the page: 5,000 rows are 170,000 nodes.
import { element } from "./dom.js";

const AROUND = 24; // rows above and below the screen, for a wheel that is faster than the drawing
const GUESS = 50; // pixels of a row, until one was measured

/** Draws a window of `rows` into three bodies of a table: what is above, the rows, what is below. */
export class Rows {
  /** `drawn` is called with the rows that are in the page. */
  constructor(table, drawn) {
    this.table = table;
    this.drawn = drawn;
    this.columns = [];
    [this.above, this.body, this.below] = table.tBodies;
    this.rows = [];
    this.lines = new Map(); // symbol -> its line
    this.height = GUESS;
    addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => this.draw());
  }

  /** Show other rows; those of `changed` symbols light up once. */
  show(rows, columns, changed = new Set()) {
    this.rows = rows;
    this.columns = columns;
    this.changed = changed;
    this.lines.clear();
    const focused = this.focused();
    this.body.replaceChildren();
    this.table.setAttribute("aria-rowcount", String(rows.length + 1));
    this.draw();
    if (focused !== null && this.lines.has(focused)) this.lines.get(focused).querySelector("a").focus({ preventScroll: true });
  }

  focused() {
    return this.body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.symbol : null;
  }

  /** Draw what is on the screen; twice when its rows turn out to be higher or lower than was thought. */
  draw(again = true) {
    if (!this.table.checkVisibility()) return;
    const [first, end] = this.span();
    const wanted = this.rows.slice(first, end);
    const kept = new Set(wanted.map((row) => row.symbol));
    for (const [symbol, line] of this.lines) if (!kept.has(symbol)) { line.remove(); this.lines.delete(symbol); }
    let before = null;
    wanted.forEach((row, offset) => {
      const line = this.lines.get(row.symbol) ?? this.line(row, first + offset);
      const place = before ? before.nextSibling : this.body.firstChild;
      if (line !== place) this.body.insertBefore(line, place);
      before = line;
    });
    this.room(this.above, first);
    this.room(this.below, this.rows.length - end);
    if (this.measure() && again) this.draw(false);
    else this.drawn(wanted);
  }

  /** Draw a column of some rows again, if they are in the page. */
  update(symbols, column) {
    for (const symbol of symbols) {
      const line = this.lines.get(symbol);
      if (line) line.querySelector(`.column-${column.key}`).replaceWith(cell(column, this.rows[line.dataset.index]));
    }
  }

  /** The first row to draw, and the one after the last. */
  span() {
    const top = -this.above.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(this.rows.length - 1, Math.floor(top / this.height)) - AROUND);
    return [first, Math.min(this.rows.length, Math.max(first, Math.ceil((top + innerHeight) / this.height) + AROUND))];
  }

  /** Take the height of a row from one that is drawn; whether it is another than was thought. */
  measure() {
    const height = this.body.firstChild?.getBoundingClientRect().height;
    if (!height || Math.abs(height - this.height) < 0.5) return false;
    this.height = height;
    return true;
  }

  room(body, rows) {
    body.rows[0].cells[0].style.setProperty("height", `${rows * this.height}px`);
  }

  /** Bring a row of the list to the screen and focus its symbol. */
  focus(index) {
    const row = this.rows[Math.max(0, Math.min(this.rows.length - 1, index))];
    if (!row) return;
    if (!this.lines.has(row.symbol)) {
      scrollBy(0, this.above.getBoundingClientRect().top + index * this.height - innerHeight / 2);
      this.draw();
    }
    this.lines.get(row.symbol)?.querySelector("a").focus();
  }

  line(row, index) {
    const line = element("tr", this.changed.has(row.symbol) ? "changed" : "", this.columns.map((column) => cell(column, row)));
    line.setAttribute("role", "row");
    line.setAttribute("aria-rowindex", String(index + 2)); // the head is the first
    line.dataset.symbol = row.symbol;
    line.dataset.index = index;
    this.lines.set(row.symbol, line);
    return line;
  }
}

function cell(column, row) {
  const isName = column.key === "symbol";
  const made = element(isName ? "th" : "td", `column-${column.key}`, [column.cell(row)]);
  made.setAttribute("role", isName ? "rowheader" : "cell");
  if (isName) made.scope = "row";
  made.dataset.label = column.label;
  const title = column.title?.(row);
  if (title) made.title = title;
  return made;
}
