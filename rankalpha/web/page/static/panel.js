// What is behind a cell: checks, container, runs and logs, lineage, and what the user may do.
import { lineage } from "./api.js";
import { actions } from "./actions.js";
import { button, element, facts } from "./dom.js";
import { count, duration, moment, number } from "./format.js";
import { cellButton, step as stepOf } from "./grid.js";
import { checksTable, containerFacts, lineagePart } from "./parts.js";
import { runLink } from "./links.js";
import { setPlace } from "./place.js";
import { stateMark } from "./states.js";

/** The panel; `report` is called with a sentence when something was started. */
export class Panel {
  constructor(dialog, report) {
    this.dialog = dialog;
    this.report = report;
    this.shown = null; // batch and step name, null for the whole batch
    this.drawn = "";
    dialog.addEventListener("close", () => this.closed());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** Show a step of a batch, or the whole batch; `batch` and `user` are the overview's, `market` is empty when there is only one. */
  open(batch, name, user, market) {
    this.shown = { batch: batch.batch, name, market };
    this.drawn = "";
    const loading = element("section", "", [element("p", "sub", "Loading the lineage…")]);
    this.parts = { body: element("div"), actions: element("div"), container: element("div"), lineage: loading };
    const close = button("close", "✕", () => this.dialog.close());
    close.setAttribute("aria-label", "Close");
    const title = element("h2", "", name ?? "Whole batch");
    title.id = "panel-title";
    const over = element("p", "over", `Batch ${batch.batch}${market ? ` of ${market}` : ""}`);
    const header = element("header", "", [element("div", "", [over, title]), close]);
    this.dialog.replaceChildren(header, element("div", "scroll", Object.values(this.parts)));
    this.update(batch, user);
    if (!this.dialog.open) this.dialog.showModal();
    setPlace(market, batch.batch, name);
  }

  /** Draw what has changed, and keep what a person is writing in. */
  update(batch, user) {
    const step = this.shown.name ? stepOf(batch, this.shown.name) : null;
    const text = JSON.stringify([batch.where, batch.session, batch.news, step ?? batch.steps, user]);
    if (text === this.drawn) return;
    this.drawn = text;
    this.parts.body.replaceChildren(...(step ? stepBody(step) : [...batchBody(batch)]));
    if (step) {
      const { container } = step.held ?? step;
      this.parts.actions.replaceChildren(...actions(batch, step, user, this.shown.market, this.report));
      this.parts.container.replaceChildren(...(container ? [containerFacts(container)] : []));
    }
    this.loadLineage(batch.batch, this.shown.name);
  }

  async loadLineage(key, name) {
    const part = this.parts.lineage;
    try {
      const answer = await lineage(key, this.shown.market);
      const steps = answer.steps.filter(({ step }) => !name || step === (name === "frontend" ? "grading" : name));
      part.replaceChildren(...steps.map((step) => lineagePart(step, !name)));
    } catch (error) {
      part.replaceChildren(element("p", "refusal", `The lineage cannot be shown: ${error.message}`));
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
    setPlace(market);
    cellButton(name ? `${batch}/${name}` : batch)?.focus();
  }
}

/** Of a whole batch: where it is, which session its prices are of, and whether it brought anything new. */
function batchBody({ where, session, news }) {
  const lines = [`Where it is: ${where}.`, session ? `Prices: ${session.text}.` : "", news ? `News: ${news}.` : ""];
  return lines.filter(Boolean).map((line) => element("p", "", line));
}

function spending({ tokens, dollars }) {
  return count(tokens, "token") + (dollars === null ? "" : `, $${dollars.toFixed(4)}`);
}

/** Of a blocked step the figures and checks of what is blocked, else of what was published last. */
function stepBody(step) {
  const seen = step.held ?? step;
  const earlier = !step.held && step.state !== "done" && step.published; // its figures are not of this run
  const run = step.run_id ? runLink(step.dag_id, step.run_id) : null;
  const since = step.since ? element("span", "sub", `since ${moment(step.since)} UTC`) : null;
  const state = element("p", "standing", [stateMark(step.state), since]);
  const list = facts([
    ["Took", step.seconds === null ? null : duration(step.seconds)],
    ["Run", run],
    ["Published before", earlier ? `${moment(step.published)} UTC` : null],
    ["Rows", seen.rows === null ? null : number(seen.rows)],
    ["Made for", step.reused_from && !step.held ? `batch ${step.reused_from}, with the same inputs; no container ran` : null],
    ["Symbols", seen.symbols === null ? null : number(seen.symbols)],
    ["As of", seen.as_of],
    ["Model", seen.spent ? spending(seen.spent) : null],
  ]);
  const forced = step.forced && !step.held ? element("p", "forced", `Published anyway by ${step.forced.by}: ${step.forced.reason}`) : null;
  return [state, forced, list, seen.checks.length ? checksTable(seen.checks) : null].filter((part) => part !== null);
}
