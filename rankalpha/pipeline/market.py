"""A market: the pipeline exists once for each. `rankalpha.pipeline.markets` reads them from their file."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rankalpha.pipeline.market_values import Calendar, Cron, Image, SessionLimit
from rankalpha.settings import MOST_SLOTS

if TYPE_CHECKING:  # the Docker proxy has no Airflow
    from airflow.sdk import Asset

DEFAULT = "default"  # its ids, datasets and volumes have no market in their names
PUBLISH_POOL = "publish"  # one slot: the events of a market are registered one at a time
STAGE_POOL = "stages"  # of all markets without a pool of their own
DEFAULT_CALENDAR = "XNYS"  # of the default market, as the sample's stocks are American


class Market(BaseModel):
    """The settings of one market: `name` is the name of its table, the other fields are the table's keys.

    They override Airflow Variables and env files, because all markets may share those.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = DEFAULT
    schedule: Cron = "0 6 * * *"  # of its ingestion, in UTC
    # code of its exchange, whose sessions its contracts count; empty: none, they count days
    calendar: Calendar = ""
    profile: Annotated[str, Field(min_length=1)] | None = None  # folder of env/; None: the stack's profile
    images: dict[str, Image] = {}  # by stage
    slots: Annotated[int, Field(gt=0, le=MOST_SLOTS)] | None = (
        None  # of a stage pool of its own; None: the common pool
    )
    # the watchdog's limits in sessions; None: the minutes of RANKALPHA_GRADED_WITHIN and _STARTED_WITHIN
    graded_within_sessions: SessionLimit = None
    started_within_sessions: SessionLimit = None

    @model_validator(mode="before")
    @classmethod
    def _of_the_default_market(cls, table: Any) -> Any:
        return {"calendar": DEFAULT_CALENDAR, **table} if table.get("name", DEFAULT) == DEFAULT else table

    @property
    def prefix(self) -> str:
        """The prefix of its datasets' names, and of the steps in its DAGs' ids."""
        return "" if self.name == DEFAULT else f"{self.name}_"

    @property
    def folder(self) -> str:
        """Its folder below the root of the data, and part of its datasets' URIs; empty for the default."""
        return self.prefix.removesuffix("_")

    @property
    def key(self) -> str:
        """The prefix of the keys of its incidents; empty for the default market."""
        return f"{self.folder} " if self.folder else ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its DAGs, in addition to the tags of every market."""
        return (self.folder,) if self.folder else ()

    @property
    def pool(self) -> str:
        """The pool of its stages."""
        return f"{STAGE_POOL}_{self.name}" if self.slots else STAGE_POOL

    @property
    def counts_sessions(self) -> bool:
        """Whether the watchdog has a limit in sessions for it."""
        return bool(self.graded_within_sessions or self.started_within_sessions)

    @property
    def when(self) -> str:
        """Its schedule for people: `06:00 UTC`, or the cron expression."""
        minute, hour, *rest = self.schedule.split()
        if minute.isdecimal() and hour.isdecimal() and rest == ["*", "*", "*"]:
            return f"{int(hour):02}:{int(minute):02} UTC"
        return f"cron {self.schedule} UTC"

    @property
    def publish_pool(self) -> str:
        """The pool, of one slot, of its publications."""
        return self.volume(PUBLISH_POOL)

    def dag_id(self, step: str) -> str:
        """Return the id of its DAG of a step, such as `rankalpha_scoring`."""
        return f"rankalpha_{self.prefix}{step}"

    def volume(self, name: str) -> str:
        """Return the name of its own volume or pool; `name` is the default market's."""
        return f"{name}_{self.folder}" if self.folder else name

    def named(self, batch: str) -> str:
        """Return a batch as messages name it; the default market goes without saying."""
        return f"{batch} of {self.name}" if self.folder else batch

    def dataset(self, asset: "Asset") -> "Asset":
        """Return its own dataset; `asset` is the default market's, and has the same contract."""
        return _dataset(self.prefix, self.folder, asset) if self.folder else asset

    def documented(self, text: str) -> str:
        """Return the documentation of its DAG; `text` is the default market's."""
        if not self.folder:
            return text
        title, rest = text.strip().split("\n", 1)
        note = f"**Market `{self.name}`**, {self.when}. The names and times below are the default market's."
        return f"{title}\n\n{note}\n{rest}"

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


DEFAULT_MARKET = Market()


@lru_cache(maxsize=1000)
def _dataset(prefix: str, folder: str, asset: "Asset") -> "Asset":
    from airflow.sdk import Asset  # noqa: PLC0415

    place = asset.uri.replace("://", f"://{folder}/", 1).removesuffix("/")
    return Asset(name=f"{prefix}{asset.name}", uri=place, group=asset.group, extra=asset.extra)
