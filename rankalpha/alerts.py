"""Alerts: a person is told once of each incident, by log, e-mail and Slack; see `rankalpha.channels`.

Who tells: a task that has failed for good (AlertNotifier), a run that has missed its deadline (`missed`), and
the watchdog, which sends again what could not be sent, and tells when it is over. An alert never changes the
outcome of a task.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.pipeline import pipeline_of
from rankalpha.settings import settings
from rankalpha.watchdog.incident import Incident, late, lateness, pause

log = logging.getLogger(__name__)


class EndedByPerson(AirflowFailException):
    """The task was ended on purpose: nobody is alerted; the watchdog tells who did it."""


class AlertNotifier(BaseNotifier):
    """Tell who is on duty that a task has failed for good and what to do; an `on_failure_callback`."""

    def notify(self, context: Any) -> None:
        """Tell, unless that was told, by the watchdog or after an earlier run."""
        from rankalpha.failed import describe  # noqa: PLC0415  not for parsing

        if isinstance(context.get("exception"), EndedByPerson):
            log.info("A person has ended this task; the watchdog tells who")
            return
        incident, ti = describe(context), context["ti"]
        # a failure of the watchdog or the maintenance lasts for as long as each of its runs fails
        begun = getattr(ti, "start_date", None) if pipeline_of(ti.dag_id) else None
        if is_new(incident.key, begun):
            tell(incident)
        else:
            log.error("Still so: %s\n%s", incident.subject, incident.text)


def deadline() -> DeadlineAlert:
    """Return the deadline of each run of a DAG: RANKALPHA_FINISHED_WITHIN minutes after it was queued.

    Not after its logical date: runs that a dataset has triggered have none.
    """
    return DeadlineAlert(
        name="finished_within",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=settings().finished_within),
        callback=AsyncCallback(missed),  # in the triggerer, for all workers may be busy, or be what hangs
    )


async def missed(context: Any) -> None:
    """Tell that a run has missed its deadline; `context` holds the run as the public API gives it."""
    await asyncio.to_thread(_tell_missed, context["dag_run"])


def _tell_missed(run: dict[str, Any]) -> None:
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if run["state"] not in ("queued", "running"):  # Airflow drops the deadline of a success only
        log.info("%s of %s has ended in time, or its failure was told", run_id, dag_id)
    elif not (is_new(lateness(dag_id, run_id)) and is_new(pause(dag_id))):
        log.info("%s of %s is late, which was told", run_id, dag_id)
    else:
        tell(late(dag_id, run_id, run["partition_key"] or "", settings().finished_within))


def is_new(key: str, begun: datetime | None = None) -> bool:
    """Tell whether nobody was told of an incident yet, or only of what was before the try that `begun`."""
    from rankalpha.watchdog import told  # noqa: PLC0415  not for parsing

    try:
        known = told.recall(key)
    except Exception:
        log.exception("Not known whether this was told before; it is told again")
        return True
    return known is None or known.mending or (begun is not None and known.at < begun)


def tell(incident: Incident, to: Sequence[str] | None = None, *, notice: bool = False) -> None:
    """Write an incident to the log and send it, by all channels that are on or those named.

    What a channel does not take is kept for the watchdog, which sends it later. A `notice` is no trouble.
    """
    from rankalpha import channels  # noqa: PLC0415  not for parsing
    from rankalpha.watchdog.told import Told  # noqa: PLC0415

    incident = channels.bounded(incident)
    level, word = (logging.INFO, "NOTICE") if notice else (logging.ERROR, "ALERT")
    log.log(level, "%s RankAlpha %s: %s\n%s", word, incident.urgency, incident.subject, incident.text)
    names = channels.on() if to is None else tuple(to)
    one = Told(incident, datetime.now(UTC), unsent=names, sending=True, notice=notice)
    if not notice:
        note(one)
    note(one.sent(channels.send(incident, names)))


def note(one: Any) -> None:
    """Remember a `Told`, or forget a notice that was sent; that it could not be is logged."""
    from rankalpha.watchdog import told  # noqa: PLC0415  not for parsing

    try:
        if not one.notice or one.unsent:
            told.remember(one)
        elif one.told:
            told.forget(one)
    except Exception:
        log.exception("The watchdog does not know of this alert, and may send another")
