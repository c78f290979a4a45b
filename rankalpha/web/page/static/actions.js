// What a person with the rights may do about a step. Airflow has the last word on rights.
import { publishAnyway, rerun } from "./api.js";
import { button, element } from "./dom.js";
import { step as stepOf } from "./grid.js";

const UNFINISHED = ["running", "queued", "paused"];
const LONGEST_REASON = 500; // as in rankalpha.contract.quarantine
const UNUSABLE = /\0|\p{Surrogate}/u; // NUL and halves of characters, which the record cannot hold

/** The forms for a step; a sentence instead of what cannot be done. `market` is empty when there is only one. */
export function actions(batch, step, user, market, report) {
  const rights = user.rights[step.dag_id] ?? [];
  const made = [];
  if (step.held) made.push(publishing(batch, step, rights, market, report));
  if (step.step === "frontend") made.push(sentence("To notify the frontend again, clear notify_frontend in the run, or re-run grading."));
  else if (!rights.includes("rerun")) made.push(sentence(`You need the right to trigger ${step.dag_id} to re-run this.`));
  else made.push(rerunForm(batch, step, report));
  return [element("section", "actions", [element("h3", "", "Actions"), ...made])];
}

function publishing(batch, step, rights, market, report) {
  if (!step.held.publishes) return sentence("This run was started with publishing off, so it cannot be published anyway.");
  if (rights.includes("publish")) return publishForm(batch, step, market, report);
  return sentence(`You need the right to write XComs of ${step.dag_id} and to clear its tasks to publish this anyway.`);
}

function sentence(text) {
  return element("p", "sub", text);
}

function rerunForm(batch, step, report) {
  const obstacle = obstacleTo(batch, step);
  if (obstacle) return sentence(obstacle);
  const publish = element("input");
  publish.type = "checkbox";
  publish.checked = true;
  const choice = element("label", "", [publish, element("span", "", `Publish, so that ${follows(step)}`)]);
  const act = async () => {
    const run = await rerun(step.dag_id, batch.batch, publish.checked, step.step);
    report(`Run ${run} of ${step.dag_id} has started.`);
  };
  return form("Re-run from here", "", [choice], act, () =>
    `Run ${step.step} again for batch ${batch.batch}? ${publish.checked ? `Its result is published, so that ${follows(step)}.` : "Nothing is published."}`);
}

/** What runs because a step has published, in words. */
function follows({ step, follows: names }) {
  if (!names.length) return step === "grading" ? "the frontend is notified" : "its dataset has the batch";
  const listed = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  return `${listed} follow${names.length > 1 ? "" : "s"}`;
}

/** Why a step cannot be run again now; null when it can. */
function obstacleTo(batch, step) {
  if (UNFINISHED.includes(step.state)) return `This cannot be re-run while it is ${step.state}.`;
  const missing = step.needs.filter((name) => stepOf(batch, name).rows === null && stepOf(batch, name).state !== "done");
  return missing.length ? `This cannot run before ${missing.join(" and ")} ${missing.length > 1 ? "have" : "has"} published this batch.` : null;
}

function publishForm(batch, step, market, report) {
  const reason = element("textarea");
  reason.rows = 2;
  reason.required = true;
  reason.maxLength = LONGEST_REASON;
  const field = element("label", "field", [element("span", "", "Reason, kept on record with your name"), reason]);
  return form("Publish anyway", "danger", [field], async () => {
    if (!reason.value.trim()) throw new Error("Enter a reason.");
    if (UNUSABLE.test(reason.value)) throw new Error("The reason holds a character that cannot be stored, such as NUL. Type it again.");
    await publishAnyway(batch.batch, step.dataset, market, reason.value.trim());
    report(`${step.held.task} of ${step.dag_id} runs again and publishes.`);
  });
}

/**
 * Fields and the button that acts; a refusal is shown below, and nothing is sent twice. With a `question` it acts once that is
 * confirmed.
 */
function form(text, tone, fields, act, question = null) {
  const refusal = element("p", "refusal");
  refusal.setAttribute("role", "alert");
  refusal.hidden = true;
  const send = async () => {
    go.disabled = true;
    refusal.hidden = true;
    try {
      await act();
    } catch (error) {
      refusal.textContent = `Refused: ${error.message}`;
      refusal.hidden = false;
      go.disabled = false;
    }
  };
  const go = button(`act ${tone}`, text, () => (question ? ask(go, question(), send) : send()));
  return element("div", "form", [...fields, go, refusal]);
}

/** Put a question in the place of a button; whatever the answer, the button is there again. */
function ask(go, text, send) {
  const answer = (act) => () => {
    asked.replaceWith(go);
    go.focus();
    act();
  };
  const yes = button("act", "Start the run", answer(send));
  const asked = element("div", "asked", [element("p", "", text), yes, button("plain", "Cancel", answer(() => {}))]);
  asked.setAttribute("role", "group");
  asked.setAttribute("aria-label", text);
  go.replaceWith(asked);
  yes.focus();
}
