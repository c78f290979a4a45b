"""When the watchdog's limits end: after minutes, or with a close for a market whose limit is in sessions.

Airflow's image has no calendar: the coming closes are those that the market's newest batches have reported.
Where they are not known, the minutes count.
"""

from datetime import datetime, timedelta

from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import Batch
from rankalpha.pipeline.batch import parse_key
from rankalpha.settings import settings
from rankalpha.texts import count

LAST_ROUNDS = timedelta(minutes=15)  # a batch is reported before the watchdog looks back no more so far


def grading(snapshot: Snapshot, batch: Batch) -> tuple[datetime, str]:
    """Return until when a batch may be graded, and that limit in words."""
    minutes, sessions = settings().graded_within, snapshot.pipeline.market.graded_within_sessions
    if sessions and (close := _close(snapshot, batch.begun, sessions)):
        seen_until = batch.begun + timedelta(days=settings().watch_days) - LAST_ROUNDS
        return min(close, seen_until), count(sessions, "session")
    return batch.begun + timedelta(minutes=minutes), f"{minutes} minutes"


def starting(snapshot: Snapshot) -> tuple[datetime, datetime]:
    """Return since when the newest batch that has not started is due, and until when it may start.

    A stack that has just been started gets the same minutes.
    """
    market, due, up = snapshot.pipeline.market, snapshot.due, snapshot.up
    minutes = timedelta(minutes=settings().started_within)
    if (sessions := market.started_within_sessions) and snapshot.days:
        newest = max([snapshot.days[0][0], *(parse_key(batch.key) for batch in snapshot.batches)])
        missed = market.next_due(newest)
        if close := _close(snapshot, missed, sessions):
            return missed, max(close, up + minutes if up else close)
    return due, max(due, up or due) + minutes


def _close(snapshot: Snapshot, moment: datetime, sessions: int) -> datetime | None:
    """Return when so many sessions have closed, as a batch knows that was there at that moment."""
    closes = (day.close_after(moment, sessions) for batch, day in snapshot.days if batch <= moment)
    return next(filter(None, closes), None)
