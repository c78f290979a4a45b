"""Alerts: each incident is sent once, by log, e-mail and Slack; see `rankalpha.alerts.channels`.

Who sends them: a task that has failed for good (`notifier`), a run that has missed its deadline (`deadline`),
and the watchdog, which sends again what could not be sent, and reports what is resolved. An alert never
changes the outcome of a task.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rankalpha.alerts.incident import Incident

log = logging.getLogger(__name__)


def is_new(key: str, begun: datetime | None = None) -> bool:
    """Tell whether nobody was told of an incident yet, or only of what was before the try that `begun`."""
    from rankalpha.alerts import sent  # noqa: PLC0415  not for parsing

    try:
        known = sent.recall(key)
    except Exception:
        log.exception("Not known whether this was told before; it is told again")
        return True
    return known is None or known.mending or (begun is not None and known.at < begun)


def tell(incident: Incident, to: Sequence[str] | None = None, *, notice: bool = False) -> None:
    """Write an incident to the log and send it, by all channels that are on or those named.

    What a channel does not take is kept for the watchdog, which sends it later. A `notice` is no trouble.
    """
    from rankalpha.alerts import channels  # noqa: PLC0415  not for parsing
    from rankalpha.alerts.sent import Told  # noqa: PLC0415

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
    from rankalpha.alerts import sent  # noqa: PLC0415  not for parsing

    try:
        if not one.notice or one.unsent:
            sent.remember(one)
        elif one.told:
            sent.forget(one)
    except Exception:
        log.exception("The watchdog does not know of this alert, and may send another")
