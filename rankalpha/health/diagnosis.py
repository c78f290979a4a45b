"""What a person has to be told, made of what the watchdog has seen. Nothing is asked here."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rankalpha.alerts.channels import CONNECTIONS
from rankalpha.alerts.incident import Incident, Urgency, failure, late, pause
from rankalpha.health.sight import Sight
from rankalpha.health.standing import FRONTEND, Batch
from rankalpha.pipeline.steps import WATCHDOG_DAG
from rankalpha.remedy import logs, restart
from rankalpha.settings import settings

__all__ = ["UNSENT", "Incident", "all_incidents", "incidents"]

UNSENT = "unsent "  # begins the key of a channel that does not work
TELLING = timedelta(minutes=2)  # a round at the same moment as a deadline would tell of it too
SILENCE = timedelta(minutes=2)  # without a heartbeat; a component that restarts is back sooner


def all_incidents(sights: Sequence[Sight]) -> list[Incident]:
    """Return what is wrong at this moment, one incident for one cause; what is of no market once."""
    return list({one.key: one for sight in sights for one in incidents(sight)}.values())


def incidents(sight: Sight) -> list[Incident]:
    """Return what is wrong with one market, and what is of none."""
    found = [*_components(sight), *_missing(sight), *_paused(sight), *_unsent(sight)]
    for batch in sight.batches:
        causes = [*_failed(sight, batch), *_late(sight, batch)]
        explained = causes or any(one.state == "paused" for one in batch.steps.values())
        found += causes or ([] if explained else _overdue(sight, batch))
    return found


def _failed(sight: Sight, batch: Batch) -> Iterator[Incident]:
    dags = sight.pipeline.by_step | {FRONTEND: sight.pipeline.grading}
    for name, one in batch.steps.items():
        if one.state == "failed":
            yield Incident(
                failure(dags[name], str(one.run_id)),
                f"{dags[name]} failed for batch {batch.key}",
                f"Run: {one.run_id}\nNext: read its red task's log, mend the cause, then clear the task.",
                Urgency.LOOK_TODAY if name == FRONTEND else Urgency.ACT_NOW,
                batch.key,
                sight.pipeline.market.name,
            )


def _late(sight: Sight, batch: Batch) -> Iterator[Incident]:
    """Yield the runs that have missed their deadline, once it has told of them, or should have."""
    minutes = settings().finished_within
    told = {one.incident.key for one in sight.told}
    for step in sight.pipeline.steps:
        one = batch.steps[step.name]
        incident = late(step.dag_id, str(one.run_id), batch.key, minutes)
        limit = timedelta(minutes=minutes) + (timedelta() if incident.key in told else TELLING)
        if one.queued and sight.now - one.queued > limit and one.state in ("running", "queued"):
            yield incident


def _overdue(sight: Sight, batch: Batch) -> list[Incident]:
    limit = timedelta(minutes=settings().graded_within)
    market = sight.pipeline.market
    if batch.settled or sight.now - batch.begun <= limit:
        return []
    return [
        Incident(
            f"overdue {market.key}{batch.key}",
            f"batch {market.named(batch.key)} was not graded within {settings().graded_within} minutes",
            f"Where it is: {batch.where}.\nNext: look at the runs of this batch in the Airflow UI.",
            Urgency.ACT_NOW,
            batch.key,
            market.name,
        )
    ]


def _paused(sight: Sight) -> Iterator[Incident]:
    for step in sight.pipeline.steps:
        waiting = [batch.key for batch in sight.batches if batch.steps[step.name].state == "paused"]
        if waiting:
            yield Incident(
                pause(step.dag_id),
                f"{step.dag_id} is paused, and {len(waiting)} batch(es) wait for it",
                f"Waiting: {', '.join(waiting)}.\nNext: unpause it; it goes on by itself.",
                market=sight.pipeline.market.name,
            )


def _missing(sight: Sight) -> Iterator[Incident]:
    """Yield that the day has no batch; a stack that was started only just now is given its time."""
    market, ingestion = sight.pipeline.market, sight.pipeline.ingestion
    limit = timedelta(minutes=settings().started_within)
    begun = max(sight.due, sight.up or sight.due)
    if (sight.started is None or sight.started < sight.due) and sight.now - begun > limit:
        cause = "is paused: unpause it" if ingestion in sight.paused else "has no run since then: trigger it"
        yield Incident(
            f"missing {market.key}{sight.due:%Y-%m-%d}",
            f"{market.named('no batch')} since {sight.due:%Y-%m-%d %H:%M} UTC",
            f"Next: {ingestion} {cause} in the Airflow UI.",
            Urgency.ACT_NOW,
            market=market.name,
        )


def _components(sight: Sight) -> Iterator[Incident]:
    for name, beat in sight.heartbeats.items():
        if beat is None or sight.now - beat > SILENCE:
            service = name.replace("_", "-")
            since = f"since {beat:%Y-%m-%d %H:%M:%S} UTC" if beat else "at all"
            yield Incident(
                f"component {name}",
                f"Airflow's {name} gives no heartbeat",
                f"None {since}.\nNext: see its log, then start it again:\n"
                f"  {logs(service)}\n  {restart(service)}",
                Urgency.ACT_NOW,
                market="",
            )


def _unsent(sight: Sight) -> Iterator[Incident]:
    """Yield the channels that do not take alerts, with what they did not take."""
    waiting = defaultdict(list)
    for one in sight.told:
        for name in one.to_send(sight.now):
            waiting[name].append(one.incident.subject)
    for name, subjects in waiting.items():
        yield Incident(
            f"{UNSENT}{name}",
            f"{len(subjects)} alert(s) could not be sent by {name}",
            f"Not told: {'; '.join(subjects)}.\n"
            f"Next: see the log of {WATCHDOG_DAG}, and mend {CONNECTIONS[name]}; then they are sent.",
            market="",
        )
