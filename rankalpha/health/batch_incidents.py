"""What needs a person of a batch or of a run, concluded from a snapshot."""

from collections.abc import Iterator
from datetime import timedelta

from rankalpha.alerts.failed_run import FailedRun
from rankalpha.alerts.incident import Incident, Urgency, late
from rankalpha.alerts.runbook import Heading, leading_to
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch
from rankalpha.settings import settings

HEAD_START = timedelta(minutes=2)  # for the deadline itself, or a round at the same moment would alert too


def of_batch(snapshot: Snapshot, batch: Batch) -> list[Incident]:
    """Return what is wrong with a batch; that it is overdue only when nothing else explains it."""
    causes = [*_failed(snapshot, batch), *_late(snapshot, batch)]
    explained = causes or any(step.state == "paused" for step in batch.steps.values())
    return causes or ([] if explained else _overdue(snapshot, batch))


def _failed(snapshot: Snapshot, batch: Batch) -> Iterator[Incident]:
    dags = snapshot.pipeline.by_step | {FRONTEND: snapshot.pipeline.grading}
    for name, step in batch.steps.items():
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
    """Yield the failed runs that belong to no batch."""
    for stray in snapshot.strays:
        run = FailedRun(
            pipeline=snapshot.pipeline,
            dag_id=stray["dag_id"],
            run_id=stray["dag_run_id"],
            key=stray["partition_key"] or "",
        )
        yield run.incident(f"Run: {run.run_id}")


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
