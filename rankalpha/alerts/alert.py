"""Alerts: each incident is sent once, by log, e-mail and Slack; see `rankalpha.alerts.channels`.

A task that has failed for good sends one (`notifier`), and so does a run that has missed its deadline
(`deadline`). The watchdog sends all others, repeats what a channel did not take, and reports what is
resolved. An alert never changes the outcome of a task.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rankalpha.alerts.incident import Incident

if TYPE_CHECKING:
    from rankalpha.alerts.sent import SentAlert

log = logging.getLogger(__name__)


def is_new(key: str, attempt_start: datetime | None = None) -> bool:
    """Return whether an incident has to be alerted: never yet, or only before the attempt that started then.

    An incident that was recovering counts as new when it returns.
    """
    from rankalpha.alerts import sent  # noqa: PLC0415  not for parsing

    try:
        known = sent.recall(key)
    except Exception:
        log.exception("Airflow does not say whether this alert was sent before; it is sent again")
        return True
    return known is None or known.recovering or (attempt_start is not None and known.at < attempt_start)


def alert(incident: Incident, to: Sequence[str] | None = None, *, notice: bool = False) -> None:
    """Write an incident to the log and send it by the channels named in `to`, by default all that are on.

    The watchdog later sends what a channel does not take. A `notice` reports no trouble.
    """
    from rankalpha.alerts import channels  # noqa: PLC0415  not for parsing
    from rankalpha.alerts.sent import SentAlert  # noqa: PLC0415

    incident = channels.bounded(incident)
    level, word = (logging.INFO, "NOTICE") if notice else (logging.ERROR, "ALERT")
    log.log(level, "%s RankAlpha %s: %s\n%s", word, incident.urgency, incident.subject, incident.text)
    names = channels.switched_on() if to is None else tuple(to)
    sending = SentAlert(incident, datetime.now(UTC), unsent=names, sending=True, notice=notice)
    if not notice:
        record(sending)
    record(sending.after_sending(failed=channels.send(incident, names)))


def record(sent_alert: "SentAlert") -> None:
    """Remember an alert, or forget a notice that was sent; a failure to do so is logged."""
    from rankalpha.alerts import sent  # noqa: PLC0415  not for parsing

    try:
        if not sent_alert.notice or sent_alert.unsent:
            sent.remember(sent_alert)
        elif sent_alert.delivered:
            sent.forget(sent_alert)
    except Exception:
        log.exception("This alert could not be recorded; the watchdog may send it again")
