"""When the batches of a market are due."""

from datetime import UTC, datetime

from croniter import croniter
from pydantic import BaseModel, ConfigDict

from rankalpha.pipeline.market_values import Cron


class Scheduled(BaseModel):
    """The schedule of a market."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    schedule: Cron = "0 6 * * *"  # of its ingestion, in UTC

    @property
    def when(self) -> str:
        """Its schedule for people: `06:00 UTC`, or the cron expression."""
        minute, hour, *rest = self.schedule.split()
        if minute.isdecimal() and hour.isdecimal() and rest == ["*", "*", "*"]:
            return f"{int(hour):02}:{int(minute):02} UTC"
        return f"cron {self.schedule} UTC"

    def due(self, now: datetime) -> datetime:
        """Return when its newest batch was due before `now`, by its schedule."""
        due: datetime = croniter(self.schedule, now.astimezone(UTC)).get_prev(datetime)
        return due

    def next_due(self, moment: datetime) -> datetime:
        """Return when its first batch after a moment is due, by its schedule."""
        due: datetime = croniter(self.schedule, moment.astimezone(UTC)).get_next(datetime)
        return due

    def first_of(self, day: datetime) -> datetime | None:
        """Return when the first batch of a day (its midnight in UTC) is due; None on a day without one."""
        cron = croniter(self.schedule, day)
        first: datetime = day if croniter.match(self.schedule, day) else cron.get_next(datetime)
        return first if first.date() == day.date() else None
