"""What needs a person, concluded from a snapshot. No request is made here."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rankalpha.alerts.connections import CONNECTIONS
from rankalpha.alerts.incident import Incident, Urgency, pause
from rankalpha.alerts.runbook import Heading, leading_to
from rankalpha.health import limits
from rankalpha.health.batch_incidents import of_batch, runs_of_no_batch
from rankalpha.health.snapshot import Snapshot
from rankalpha.pipeline.steps import WATCHDOG_DAG
from rankalpha.remedy import logs, restart
from rankalpha.texts import count

UNSENT = "unsent "  # begins the key of a channel that does not work
SILENCE = timedelta(minutes=2)  # without a heartbeat; a component that restarts is back sooner


def all_incidents(snapshots: Sequence[Snapshot]) -> list[Incident]:
    """Return what is wrong now, one incident for one cause; what belongs to no market stands there once."""
    every = (incident for snapshot in snapshots for incident in incidents(snapshot))
    return list({incident.key: incident for incident in every}.values())


def incidents(snapshot: Snapshot) -> list[Incident]:
    """Return what is wrong with one market, and what belongs to no market."""
    found = [*_components(snapshot), *_missing(snapshot), *_paused(snapshot), *_unsent(snapshot)]
    found += [*snapshot.beside, *runs_of_no_batch(snapshot)]
    for batch in snapshot.batches:
        found += of_batch(snapshot, batch)
    return found


def _paused(snapshot: Snapshot) -> Iterator[Incident]:
    for step in snapshot.pipeline.steps:
        if step.optional:  # pausing it means doing without it
            continue
        waiting = [batch.key for batch in snapshot.batches if batch.steps[step.name].state == "paused"]
        if waiting:
            verb = "is" if len(waiting) == 1 else "are"
            yield Incident(
                pause(step.dag_id),
                f"{step.dag_id} is paused; {count(len(waiting), 'batch', 'batches')} {verb} waiting",
                leading_to(
                    Heading.PAUSED,
                    f"Waiting: {', '.join(waiting)}.",
                    f"Next: Unpause {step.dag_id}; it then runs by itself.",
                ),
                market=snapshot.pipeline.market.name,
            )


def _missing(snapshot: Snapshot) -> Iterator[Incident]:
    """Yield that the day has no batch."""
    market, ingestion = snapshot.pipeline.market, snapshot.pipeline.ingestion
    due, until = limits.starting(snapshot)
    if (snapshot.started is None or snapshot.started < snapshot.due) and snapshot.now > until:
        paused = ingestion in snapshot.paused
        yield Incident(
            f"missing {market.key}{due:%Y-%m-%d}",
            f"{market.named('no batch')} since {due:%Y-%m-%d %H:%M} UTC",
            leading_to(
                Heading.MISSING,
                f"Cause: {ingestion} {'is paused' if paused else 'has no run since then'}.",
                f"Next: {'Unpause' if paused else 'Trigger'} {ingestion} in the Airflow UI.",
            ),
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
                leading_to(
                    Heading.COMPONENT,
                    f"Last heartbeat: {f'{beat:%Y-%m-%d %H:%M:%S} UTC' if beat else 'never'}.",
                    f"Next: Read its log, then start it again:\n  {logs(service)}\n  {restart(service)}",
                ),
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
            leading_to(
                Heading.UNSENT,
                f"Not sent: {'; '.join(subjects)}.",
                f"Next: Read the log of {WATCHDOG_DAG} and fix the connection {CONNECTIONS[name]}. "
                "The alerts are then sent by themselves.",
            ),
            market="",
        )
