"""What the watchdog adds to a failure that its task has not alerted: who ended it, where, the last lines."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from rankalpha.airflow_api import AirflowApi
from rankalpha.alerts.channels import ui
from rankalpha.alerts.incident import Incident, Urgency, is_failure
from rankalpha.alerts.runbook import Heading, leading_to, without_runbook
from rankalpha.masking import masked
from rankalpha.texts import QUOTED_LINE, cut

LINES = 8  # of a log
BY_PERSON = ("patch_task_instance", "patch_dag_run", "bulk_task_instances", "bulk_dag_runs")


def detailed(api: AirflowApi, incident: Incident) -> Incident:
    """Return a failed run's incident with its red tasks; nobody has to act when a person ended it."""
    if not is_failure(incident.key):
        return incident
    _, dag_id, run_id = incident.key.split(" ", 2)
    run = f"dags/{dag_id}/dagRuns/{quote(run_id)}"
    tasks = api.get(f"{run}/taskInstances")["task_instances"]
    red = [task for task in tasks if task["state"] == "failed"]
    lines = [line for task in red for line in _lines(api, run, task)]
    text = "\n".join([f"Batch: {incident.named if incident.batch else 'not known'}", *lines, incident.text])
    begun = min((task["start_date"] for task in red if task["start_date"]), default=None)
    if not (person := _ended_by(api, dag_id, run_id, begun)):
        return replace(incident, text=text)
    ended = f"Ended by: {person}, who marked it as failed. What waits for it goes on when someone clears it."
    text = leading_to(Heading.ENDED, ended, without_runbook(text))
    return replace(incident, text=text, urgency=Urgency.NO_ACTION)


def _lines(api: AirflowApi, run: str, task: dict[str, Any]) -> Iterator[str]:
    name, number = task["task_id"], task["try_number"]
    if not number:
        yield f"Task: {name}, which never ran"
        return
    yield f"Task: {name}, attempt {number}"
    log = api.get(f"{run}/taskInstances/{name}/logs/{number}", map_index=task["map_index"])["content"]
    if last := [line["event"] for line in log if line.get("timestamp")][-LINES:]:
        yield "\n  ".join(["Last lines of its log:", *(cut(masked(line), QUOTED_LINE) for line in last)])
    yield f"Log: {ui()}/{run.replace('/dagRuns/', '/runs/')}/tasks/{name}?try_number={number}"


def _ended_by(api: AirflowApi, dag_id: str, run_id: str, begun: str | None) -> str | None:
    """Return the user who last set the state of the run or of its tasks, if it was set to failed."""
    by_person = {"dag_id": dag_id, "run_id": run_id, "included_events": BY_PERSON, "after": begun}
    entries = api.get("eventLogs", **by_person, order_by="-when", limit=1)["event_logs"]
    return next((entry["owner"] for entry in entries if '"failed"' in (entry["extra"] or "")), None)
