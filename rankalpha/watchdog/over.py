"""Which incidents are over, and that this is told once, by the channels that were told of them."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts import alert, sent
from rankalpha.alerts.incident import Incident, Urgency, is_failure
from rankalpha.alerts.sent import Told
from rankalpha.health.sight import Sight
from rankalpha.pipeline.pipelines import pipeline_of

log = logging.getLogger(__name__)

# Airflow ends a run moments after the task whose failure was told; until then the run does not look failed
SETTLING = timedelta(seconds=10)

Fate = Literal["lasts", "over", "gone"]  # gone: nobody can say any more


def close(api: AirflowApi, sights: Sequence[Sight], found: Iterable[Incident]) -> None:
    """Tell once of each incident that is over, in one message for all of a batch, and forget it.

    An incident that was told after this round had begun to look is left to the next round.
    """
    now = sights[0].now
    lasting, over = {incident.key for incident in found}, defaultdict(list)
    for one in sights[0].told:
        key = one.incident.key
        if one.notice or key in lasting or one.at > now:
            continue
        fate = _fate(api, sights, one.incident)
        log.info("%s: %s", fate.capitalize(), one.incident.subject)
        if fate == "over":
            over[one.incident.named or key].append(one)
        elif fate == "gone":
            sent.forget(one)
        elif not one.mending and one.at <= now - SETTLING:
            sent.remember(one.seen_mending())
    for ended in over.values():
        _tell_over(ended)


def _tell_over(ended: Sequence[Told]) -> None:
    first = ended[0]
    batch = first.incident.named
    lines = [f"{one.at:%Y-%m-%d %H:%M} UTC: {one.incident.subject}" for one in ended]
    incident = Incident(
        f"over {first.incident.key}",
        f"over: {'; '.join(one.incident.subject for one in ended)}",
        "\n".join(
            ["What it was, and since when:", *lines, *([f"Batch: {batch}, through now"] * bool(batch))]
        ),
        Urgency.NO_ACTION,
        market=first.incident.market,
    )
    to = dict.fromkeys(name for one in ended for name in (*one.told, *one.unsent))
    alert.tell(incident, tuple(to), notice=True)
    for one in ended:
        sent.forget(one)


def _fate(api: AirflowApi, sights: Sequence[Sight], incident: Incident) -> Fate:
    """Return what has become of an incident that is to be seen no more."""
    if incident.batch:
        batches = [
            one for sight in sights if sight.pipeline.market.name == incident.market for one in sight.batches
        ]
        batch = next((one for one in batches if one.key == incident.batch), None)
        return "gone" if batch is None else "over" if batch.settled else "lasts"
    if not is_failure(incident.key):
        return "over"
    _, dag_id, of = incident.key.split(" ", 2)
    try:
        state = _state_of_run(api, dag_id, of) if pipeline_of(dag_id) else _state_of_task(api, dag_id, of)
    except AirflowApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return "gone"
        raise
    return "over" if state == "success" else "lasts"


def _state_of_run(api: AirflowApi, dag_id: str, run_id: str) -> str:
    return str(api.get(f"dags/{dag_id}/dagRuns/{quote(run_id)}")["state"])


def _state_of_task(api: AirflowApi, dag_id: str, task_id: str) -> str | None:
    """Return how a task has ended the last time, in whatever run."""
    ended = {"state": ["success", "failed"], "order_by": "-end_date", "limit": 1}
    found = api.get(f"dags/{dag_id}/dagRuns/~/taskInstances", task_id=task_id, **ended)["task_instances"]
    return next((str(one["state"]) for one in found), None)
