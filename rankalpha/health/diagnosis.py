"""What needs a person, concluded from a snapshot. No request is made here."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rankalpha.alerts.connections import CONNECTIONS
from rankalpha.alerts.incident import Incident, Urgency, failure, late, pause
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch
from rankalpha.pipeline.steps import WATCHDOG_DAG
from rankalpha.remedy import logs, restart
from rankalpha.settings import settings
from rankalpha.texts import count

UNSENT = "unsent "  # begins the key of a channel that does not work
HEAD_START = timedelta(minutes=2)  # for the deadline itself, or a round at the same moment would alert too
SILENCE = timedelta(minutes=2)  # without a heartbeat; a component that restarts is back sooner


def all_incidents(snapshots: Sequence[Snapshot]) -> list[Incident]:
    """Return what is wrong now, one incident for one cause; what belongs to no market stands there once."""
    every = (incident for snapshot in snapshots for incident in incidents(snapshot))
    return list({incident.key: incident for incident in every}.values())


def incidents(snapshot: Snapshot) -> list[Incident]:
    """Return what is wrong with one market, and what belongs to no market."""
    found = [*_components(snapshot), *_missing(snapshot), *_paused(snapshot), *_unsent(snapshot)]
    for batch in snapshot.batches:
        causes = [*_failed(snapshot, batch), *_late(snapshot, batch)]
        explained = causes or any(step.state == "paused" for step in batch.steps.values())
        found += causes or ([] if explained else _overdue(snapshot, batch))
    return found


def _failed(snapshot: Snapshot, batch: Batch) -> Iterator[Incident]:
    dags = snapshot.pipeline.by_step | {FRONTEND: snapshot.pipeline.grading}
    for name, step in batch.steps.items():
        if step.state == "failed":
            yield Incident(
                failure(dags[name], str(step.run_id)),
                f"{dags[name]} failed for batch {batch.key}",
                f"Run: {step.run_id}\n"
                "Next: Read the log of its red task, fix the cause, then clear the task.",
                Urgency.LOOK_TODAY if name == FRONTEND else Urgency.ACT_NOW,
                batch.key,
                snapshot.pipeline.market.name,
            )


def _late(snapshot: Snapshot, batch: Batch) -> Iterator[Incident]:
    """Yield the runs that have missed their deadline, once the deadline has alerted or should have."""
    minutes = settings().finished_within
    alerted = {alert.incident.key for alert in snapshot.sent}
    for step in snapshot.pipeline.steps:
        standing = batch.steps[step.name]
        incident = late(step.dag_id, str(standing.run_id), batch.key, minutes)
        limit = timedelta(minutes=minutes) + (timedelta() if incident.key in alerted else HEAD_START)
        unfinished = standing.state in ("running", "queued")
        if unfinished and standing.queued and snapshot.now - standing.queued > limit:
            yield incident


def _overdue(snapshot: Snapshot, batch: Batch) -> list[Incident]:
    limit = timedelta(minutes=settings().graded_within)
    market = snapshot.pipeline.market
    if batch.settled or snapshot.now - batch.begun <= limit:
        return []
    return [
        Incident(
            f"overdue {market.key}{batch.key}",
            f"batch {market.named(batch.key)} was not graded within {settings().graded_within} minutes",
            f"Where it is: {batch.where}.\nNext: Look at the runs of this batch in the Airflow UI.",
            Urgency.ACT_NOW,
            batch.key,
            market.name,
        )
    ]


def _paused(snapshot: Snapshot) -> Iterator[Incident]:
    for step in snapshot.pipeline.steps:
        waiting = [batch.key for batch in snapshot.batches if batch.steps[step.name].state == "paused"]
        if waiting:
            verb = "is" if len(waiting) == 1 else "are"
            yield Incident(
                pause(step.dag_id),
                f"{step.dag_id} is paused; {count(len(waiting), 'batch', 'batches')} {verb} waiting",
                f"Waiting: {', '.join(waiting)}.\nNext: Unpause {step.dag_id}; it then runs by itself.",
                market=snapshot.pipeline.market.name,
            )


def _missing(snapshot: Snapshot) -> Iterator[Incident]:
    """Yield that the day has no batch; a stack that has just been started gets the same time."""
    market, ingestion, due = snapshot.pipeline.market, snapshot.pipeline.ingestion, snapshot.due
    limit = timedelta(minutes=settings().started_within)
    begun = max(due, snapshot.up or due)
    if (snapshot.started is None or snapshot.started < due) and snapshot.now - begun > limit:
        paused = ingestion in snapshot.paused
        yield Incident(
            f"missing {market.key}{due:%Y-%m-%d}",
            f"{market.named('no batch')} since {due:%Y-%m-%d %H:%M} UTC",
            f"Cause: {ingestion} {'is paused' if paused else 'has no run since then'}.\n"
            f"Next: {'Unpause' if paused else 'Trigger'} {ingestion} in the Airflow UI.",
            Urgency.ACT_NOW,
            market=market.name,
        )


def _components(snapshot: Snapshot) -> Iterator[Incident]:
    for name, beat in snapshot.heartbeats.items():
        if beat is None or snapshot.now - beat > SILENCE:
            service = name.replace("_", "-")
            yield Incident(
                f"component {name}",
                f"Airflow's {name.replace('_', ' ')} sends no heartbeat",
                f"Last heartbeat: {f'{beat:%Y-%m-%d %H:%M:%S} UTC' if beat else 'never'}.\n"
                f"Next: Read its log, then start it again:\n  {logs(service)}\n  {restart(service)}",
                Urgency.ACT_NOW,
                market="",
            )


def _unsent(snapshot: Snapshot) -> Iterator[Incident]:
    """Yield the channels that do not take alerts, with the alerts that they did not take."""
    waiting = defaultdict(list)
    for alert in snapshot.sent:
        for name in alert.due(snapshot.now):
            waiting[name].append(alert.incident.subject)
    for name, subjects in waiting.items():
        yield Incident(
            f"{UNSENT}{name}",
            f"{count(len(subjects), 'alert')} could not be sent by {name}",
            f"Not sent: {'; '.join(subjects)}.\n"
            f"Next: Read the log of {WATCHDOG_DAG} and fix the connection {CONNECTIONS[name]}. "
            "The alerts are then sent by themselves.",
            market="",
        )
