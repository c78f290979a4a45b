// What is behind a cell: checks, container, runs and logs, lineage, and what the user may do. Behind a batch: its graph,
// its lineage, and the comparison with another batch.
import { lineage } from "./api.js";
import { batchBody, stepBody } from "./body.js";
import { actions } from "./actions.js";
import { comparison } from "./compare.js";
import { copyButton } from "./copy.js";
import { button, element } from "./dom.js";
import { cellButton, step as stepOf } from "./grid.js";
import { stepName } from "./format.js";
import { containerFacts, lineagePart } from "./parts.js";
import { addressOf, setPlace } from "./place.js";

/** The panel. `overview` returns the newest overview; `report` is called with a sentence when something was started. */
export class Panel {
  constructor(dialog, overview, report) {
    this.dialog = dialog;
    this.overview = overview;
    this.report = report;
    this.shown = null; // its place: market, batch, name and other, each null or empty when there is none
    this.drawn = "";
    dialog.addEventListener("close", () => this.closed());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** Show a step of a batch, the whole batch, or the batch compared with another; nothing for an unknown batch. */
  open(key, name = null, other = null) {
    const { markets, market } = this.overview();
    if (!this.batch(key)) return;
    this.shown = { market: markets.length > 1 ? market.name : "", batch: key, name, other };
    this.drawn = "";
    const loading = element("section", "", [element("p", "sub", "Loading the lineage…")]);
    this.parts = { body: element("div"), actions: element("div"), container: element("div"), lineage: loading };
    const scroll = element("div", "scroll", Object.values(this.parts));
    scroll.tabIndex = 0; // scrolls by keyboard also when nothing in it takes the focus
    scroll.setAttribute("role", "group");
    scroll.setAttribute("aria-labelledby", "panel-title");
    this.dialog.replaceChildren(this.header(), scroll);
    this.update();
    if (!this.dialog.open) this.dialog.showModal();
    setPlace(this.shown);
  }

  batch(key) {
    return this.overview().batches.find(({ batch }) => batch === key);
  }

  header() {
    const { batch, name, other, market } = this.shown;
    const close = button("close", "✕", () => this.dialog.close());
    close.setAttribute("aria-label", "Close");
    const title = element("h2", "", other ? "Comparison" : name ? stepName(name) : "Whole batch");
    title.id = "panel-title";
    const over = `Batch ${batch}${other ? ` and batch ${other}` : ""}${market ? ` of ${market}` : ""}`;
    const place = this.shown;
    return element("header", "", [
      element("div", "", [element("p", "over", over), title]),
      element("div", "buttons", [copyButton(() => addressOf(place)), close]),
    ]);
  }

  /** Draw what has changed, and keep what a person is writing in. */
  update() {
    const batch = this.shown && this.batch(this.shown.batch);
    if (!batch) return;
    const { user, batches, datasets, ranking } = this.overview();
    const { name, other, market } = this.shown;
    const step = name ? stepOf(batch, name) : null;
    const others = batches.map(({ batch: key }) => key).filter((key) => key !== batch.batch);
    const text = JSON.stringify([batch.where, batch.session, batch.news, step ?? batch.steps, user, others]);
    if (text === this.drawn || (other && this.drawn)) return; // a comparison stays as it is
    this.drawn = text;
    if (step) {
      const { container } = step.held ?? step;
      this.parts.body.replaceChildren(...stepBody(step, datasets));
      this.parts.actions.replaceChildren(...actions(batch, step, user, market, this.report));
      this.parts.container.replaceChildren(...(container ? [containerFacts(container)] : []));
    } else if (!other) {
      const open = { step: (one) => this.open(batch.batch, one), compared: (key) => this.open(batch.batch, null, key) };
      this.parts.body.replaceChildren(...batchBody(batch, others, { ranking, market }, open));
    } else {
      this.parts.body.replaceChildren(button("plain", "Back to the batch", () => this.open(batch.batch)));
    }
    this.load(this.shown);
  }

  /** Load what is shown last: the comparison, or the lineage of the step or of all steps. */
  async load(place) {
    const { batch, name, other, market } = place;
    const part = this.parts.lineage;
    try {
      const answers = await Promise.all([batch, other].filter(Boolean).map((key) => lineage(key, market)));
      const [{ steps }] = answers;
      if (other) part.replaceChildren(comparison(answers, [batch, other].map((key) => this.batch(key)?.grades ?? null)));
      else part.replaceChildren(...steps.filter(({ step }) => !name || step === (name === "frontend" ? "grading" : name)).map((step) => lineagePart(step, !name)));
    } catch (error) {
      part.replaceChildren(element("p", "refusal", `The ${other ? "comparison" : "lineage"} cannot be shown: ${error.message}`));
    }
  }

  /** Close without a trace in the address. */
  dismiss() {
    this.shown = null;
    this.dialog.close();
  }

  closed() {
    if (!this.shown || this.dialog.open) return; // dismissed, or opened again before the event came
    const { batch, name, market } = this.shown;
    this.shown = null;
    setPlace({ market });
    cellButton(name ? `${batch}/${name}` : batch)?.focus();
  }
}
