"""Decides which incidents are resolved, and reports each once, by the channels that its alert was sent by."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts import sent
from rankalpha.alerts.alert import alert
from rankalpha.alerts.incident import Incident, Urgency, is_failure
from rankalpha.alerts.sent import SentAlert
from rankalpha.health.beside import newest_end
from rankalpha.health.snapshot import Snapshot
from rankalpha.pipeline.pipelines import pipeline_of
from rankalpha.settings import settings

log = logging.getLogger(__name__)

# Airflow ends a run moments after the task whose failure was alerted; until then the run does not look failed
SETTLING = timedelta(seconds=10)

# forgotten: its batch, run or market is in Airflow no more, so nobody can know
Fate = Literal["recovering", "resolved", "forgotten"]


def close(api: AirflowApi, snapshots: Sequence[Snapshot], incidents: Iterable[Incident]) -> None:
    """Report once which alerts are resolved, in one message for all of a batch, and forget them.

    `incidents` are those that last. An alert that was sent after the snapshots were taken waits for the next
    round.
    """
    now = snapshots[0].now
    lasting, resolved = {incident.key for incident in incidents}, defaultdict(list)
    for sent_alert in snapshots[0].sent:
        incident = sent_alert.incident
        if sent_alert.notice or incident.key in lasting or sent_alert.at > now:
            continue
        fate = _fate(api, snapshots, incident)
        log.info("%s: %s", fate.capitalize(), incident.subject)
        if fate == "resolved":
            resolved[incident.named or incident.key].append(sent_alert)
        elif fate == "forgotten":
            sent.forget(sent_alert)
        elif not sent_alert.recovering and sent_alert.at <= now - SETTLING:
            sent.remember(sent_alert.as_recovering())
    for alerts in resolved.values():
        _report(alerts)


def _report(resolved: Sequence[SentAlert]) -> None:
    """Report alerts of one batch, or one alert that belongs to no batch, as resolved."""
    first = resolved[0].incident
    heading = "Incident:" if len(resolved) == 1 else "Incidents:"
    since = [f"  {one.incident.subject} (since {one.at:%Y-%m-%d %H:%M} UTC)" for one in resolved]
    complete = [f"Batch: {first.named}, now complete"] if first.named else []
    incident = Incident(
        f"resolved {first.key}",
        f"Resolved: {'; '.join(one.incident.subject for one in resolved)}",
        "\n".join([heading, *since, *complete]),
        Urgency.NO_ACTION,
        market=first.market,
    )
    to = dict.fromkeys(name for one in resolved for name in (*one.delivered, *one.unsent))
    alert(incident, tuple(to), notice=True)
    for one in resolved:
        sent.forget(one)


def _fate(api: AirflowApi, snapshots: Sequence[Snapshot], incident: Incident) -> Fate:
    """Return what became of an incident whose symptom is gone."""
    if incident.market not in {"", *(snapshot.pipeline.market.name for snapshot in snapshots)}:
        return "forgotten"  # its market was removed
    if incident.batch:
        return _fate_of_batch(api, snapshots, incident)
    if not is_failure(incident.key):
        return "resolved"
    _, dag_id, of = incident.key.split(" ", 2)
    try:
        if pipeline_of(dag_id):
            return _fate_of_run(api, dag_id, of, snapshots[0].now)
        return "resolved" if newest_end(api, dag_id, of) == "success" else "recovering"
    except AirflowApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return "forgotten"
        raise


def _fate_of_batch(api: AirflowApi, snapshots: Sequence[Snapshot], incident: Incident) -> Fate:
    """Return what became of an incident of a batch, which is resolved when the batch is graded."""
    batches = (
        batch
        for snapshot in snapshots
        if snapshot.pipeline.market.name == incident.market
        for batch in snapshot.batches
    )
    batch = next((batch for batch in batches if batch.key == incident.batch), None)
    if batch is None:
        return "forgotten"
    return "resolved" if batch.settled and not _runs_again(api, incident) else "recovering"


def _runs_again(api: AirflowApi, incident: Incident) -> bool:
    """Return whether the failed run of an incident was cleared and has not ended.

    A run without a key is not seen with its batch until it ends.
    """
    if not is_failure(incident.key):
        return False
    _, dag_id, run_id = incident.key.split(" ", 2)
    try:
        return api.get(f"dags/{dag_id}/dagRuns/{quote(run_id)}")["state"] in ("queued", "running")
    except AirflowApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return False


def _fate_of_run(api: AirflowApi, dag_id: str, run_id: str, now: datetime) -> Fate:
    """Return what became of a failed run of no batch: it or a later run of its DAG has to succeed."""
    runs = f"dags/{dag_id}/dagRuns"
    run = api.get(f"{runs}/{quote(run_id)}")
    if run["state"] != "failed":
        return "resolved" if run["state"] == "success" else "recovering"
    ended = run["end_date"] or run["run_after"]
    if api.get(runs, state=["success"], start_date_gte=ended, limit=1)["dag_runs"]:
        return "resolved"
    seen_since = now - timedelta(days=settings().watch_days)
    return "forgotten" if datetime.fromisoformat(ended) < seen_since else "recovering"
