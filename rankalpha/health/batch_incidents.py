"""What needs a person of a batch or of a run, concluded from a snapshot."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from rankalpha.alerts.failed_run import FailedRun
from rankalpha.alerts.incident import Incident, Urgency, late
from rankalpha.alerts.runbook import Heading, leading_to
from rankalpha.health import limits
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch, Standing
from rankalpha.settings import settings

HEAD_START = timedelta(minutes=2)  # for the deadline itself, or a round at the same moment would alert too


def of_batch(snapshot: Snapshot, batch: Batch) -> list[Incident]:
    """Return what is wrong with a batch; that it is overdue only when nothing else explains it."""
    main = {name: step for name, step in batch.steps.items() if not step.optional}
    optional = {name: step for name, step in batch.steps.items() if step.optional}
    causes = [*_failed(snapshot, batch, main), *_late(snapshot, batch, main)]
    explained = causes or any(step.state == "paused" for step in main.values())
    causes += [] if explained else _overdue(snapshot, batch)
    return [*causes, *_failed(snapshot, batch, optional), *_late(snapshot, batch, optional)]


def _failed(snapshot: Snapshot, batch: Batch, steps: Mapping[str, Standing]) -> Iterator[Incident]:
    dags = snapshot.pipeline.by_step | {FRONTEND: snapshot.pipeline.grading}
    for name, step in steps.items():
        if step.state in ("failed", "blocked"):
            run = FailedRun(
                pipeline=snapshot.pipeline,
                dag_id=dags[name],
                run_id=str(step.run_id),
                batch=batch.key,
                blocked=step.held or None,
                follow_up=name == FRONTEND,
            )
            yield run.incident(f"Run: {run.run_id}", *run.checks)


def runs_of_no_batch(snapshot: Snapshot) -> Iterator[Incident]:
    """Yield the runs of no batch, or of none that is known yet, that failed or missed their deadline."""
    for stray in snapshot.strays:
        dag_id, run_id = stray["dag_id"], stray["dag_run_id"]
        if stray["state"] == "failed":
            key = stray["partition_key"] or ""
            run = FailedRun(pipeline=snapshot.pipeline, dag_id=dag_id, run_id=run_id, key=key)
            yield run.incident(f"Run: {run_id}")
        elif stray["queued_at"] and dag_id not in (*snapshot.paused, *snapshot.pipeline.scheduled):
            yield from _past(snapshot, dag_id, run_id, "", datetime.fromisoformat(stray["queued_at"]))


def _late(snapshot: Snapshot, batch: Batch, steps: Mapping[str, Standing]) -> Iterator[Incident]:
    """Yield the runs of a batch that have missed their deadline."""
    for name, dag_id in snapshot.pipeline.by_step.items():
        step = steps.get(name)
        if dag_id in snapshot.pipeline.scheduled:
            continue
        if step and step.state in ("running", "queued") and step.queued:
            yield from _past(snapshot, dag_id, str(step.run_id), batch.key, step.queued)


def _past(snapshot: Snapshot, dag_id: str, run_id: str, batch: str, queued: datetime) -> Iterator[Incident]:
    """Yield that a run has missed its deadline, once the deadline has alerted or should have."""
    minutes = settings().finished_within
    incident = late(dag_id, run_id, batch, minutes)
    alerted = incident.key in {alert.incident.key for alert in snapshot.sent}
    if snapshot.now - queued > timedelta(minutes=minutes) + (timedelta() if alerted else HEAD_START):
        yield incident


def _overdue(snapshot: Snapshot, batch: Batch) -> list[Incident]:
    until, limit = limits.grading(snapshot, batch)
    market = snapshot.pipeline.market
    if batch.settled or snapshot.now <= until:
        return []
    return [
        Incident(
            f"overdue {market.key}{batch.key}",
            f"batch {market.named(batch.key)} was not graded within {limit}",
            leading_to(
                Heading.OVERDUE,
                f"Where it is: {batch.where}.",
                "Next: Look at the runs of this batch in the Airflow UI.",
            ),
            Urgency.ACT_NOW,
            batch.key,
            market.name,
        )
    ]
