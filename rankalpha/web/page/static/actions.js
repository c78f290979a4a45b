// What a person with the rights may do about a step. Airflow's public API does it, and has the last word on rights.
import { publishAnyway, rerun } from "./api.js";
import { button, element } from "./dom.js";
import { step as stepOf } from "./grid.js";

const IN_HAND = ["running", "queued", "paused"];
const LONGEST_REASON = 500; // as rankalpha.contract.quarantine has it

/** The forms for a step; a sentence instead of what cannot be done. */
export function actions(batch, step, user, told) {
  const rights = user.rights[step.dag_id] ?? [];
  const made = [];
  if (step.held) made.push(publishing(step, user, rights, told));
  if (step.step === "frontend") made.push(sentence("To tell the frontend again, clear notify_frontend in the run, or re-run grading."));
  else if (!rights.includes("rerun")) made.push(sentence(`To re-run it takes the right to trigger ${step.dag_id}, which ${user.name} lacks.`));
  else made.push(rerunForm(batch, step, told));
  return [element("section", "actions", [element("h3", "", "Actions"), ...made])];
}

function publishing(step, user, rights, told) {
  if (!step.held.publishes) return sentence("This run was told to publish nothing, so it cannot be published anyway.");
  if (rights.includes("publish")) return publishForm(step, user, told);
  return sentence(`To publish it anyway takes the right to write XComs of ${step.dag_id} and to clear its tasks, which ${user.name} lacks.`);
}

function sentence(text) {
  return element("p", "sub", text);
}

function rerunForm(batch, step, told) {
  const obstacle = inTheWay(batch, step);
  if (obstacle) return sentence(obstacle);
  const publish = element("input");
  publish.type = "checkbox";
  publish.checked = true;
  const choice = element("label", "", [publish, element("span", "", `Publish, so that ${follows(step)}`)]);
  return form("Re-run from here", "", [choice], async () => {
    const run = await rerun(step.dag_id, batch.batch, publish.checked, step.step);
    told(`Run ${run} of ${step.dag_id} is started.`);
  });
}

/** What runs because a step has published, in words. */
function follows({ step, follows: names }) {
  if (!names.length) return step === "grading" ? "the frontend is notified" : "its dataset has the batch";
  const listed = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  return `${listed} follow${names.length > 1 ? "" : "s"}`;
}

/** Why a step cannot be run again now; null when it can. */
function inTheWay(batch, step) {
  if (IN_HAND.includes(step.state)) return `It cannot be re-run while it is ${step.state}.`;
  const missing = step.needs.filter((name) => stepOf(batch, name).rows === null && stepOf(batch, name).state !== "done");
  return missing.length ? `It cannot run before ${missing.join(" and ")} ${missing.length > 1 ? "have" : "has"} published this batch.` : null;
}

function publishForm(step, user, told) {
  const reason = element("textarea");
  reason.rows = 2;
  reason.required = true;
  reason.maxLength = LONGEST_REASON;
  const field = element("label", "field", [element("span", "", "Reason, kept on record with your name"), reason]);
  return form("Publish anyway", "danger", [field], async () => {
    if (!reason.value.trim()) throw new Error("Say why it may be published.");
    await publishAnyway(step.dag_id, step.run_id, step.held, user.name, reason.value.trim());
    told(`${step.held.task} of ${step.dag_id} runs again and publishes.`);
  });
}

/** Fields and the button that acts; a refusal is shown below it, and nothing is sent twice. */
function form(text, tone, fields, act) {
  const refusal = element("p", "refusal");
  refusal.setAttribute("role", "alert");
  refusal.hidden = true;
  const go = button(`act ${tone}`, text, async () => {
    go.disabled = true;
    refusal.hidden = true;
    try {
      await act();
    } catch (error) {
      refusal.textContent = `Refused: ${error.message}`;
      refusal.hidden = false;
      go.disabled = false;
    }
  });
  return element("div", "form", [...fields, go, refusal]);
}
