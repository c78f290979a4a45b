"""Where a batch stands: the state of each step of the pipeline, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.reuse import CARRIED_FROM
from rankalpha.pipeline.sessions import MarketDay
from rankalpha.pipeline.steps import GRADING, SHAPE

State = Literal[
    "done",
    "running",
    "queued",
    "paused",  # queued, or about to be, for a DAG that is paused
    "failed",
    "blocked",  # its result breaks the contract of its dataset, and was not published
    "waiting",  # for the steps before it
    "superseded",  # left out on purpose after a pause, see `rankalpha.joins.after_pause`
    "unpublished",  # run with publishing off
    # published before the DAG of an optional step was there, such as before an upgrade; or not one of the
    # batches that a scheduled step runs for
    "skipped",
    "lost",  # it has all that it needs, but no run
]
NEVER = datetime(1, 1, 1, tzinfo=UTC)
FRONTEND = "frontend"  # the last step: the frontend was notified of the grades


@dataclass(frozen=True)
class Standing:
    """The state of a step of a batch, and since when; `run_id` is that of its newest run.

    `queued` is when a run that has not ended was queued, `seconds` how long its newest run took, and
    `published` when its dataset was published last. `extra` is that event's: the result, see
    `rankalpha.operators.publish`. `held` is what is blocked, see `rankalpha.health.left`. No batch waits for
    an `optional` step.
    """

    state: State
    since: datetime | None = None
    run_id: str | None = None
    seconds: float | None = None
    published: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    queued: datetime | None = None
    held: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True)
class Batch:
    """A batch and its steps by name; `begun` is when it was last started, by the clock or by hand."""

    key: str
    begun: datetime
    steps: Mapping[str, Standing]

    @property
    def settled(self) -> bool:
        """Return whether it is graded, or nothing is left to do for that; an optional step does not count."""
        states = {standing.state for standing in self.steps.values() if not standing.optional}
        if states & {"superseded", "unpublished"}:
            return states <= {"done", "waiting", "superseded", "unpublished"}
        return states == {"done"}

    @property
    def day(self) -> MarketDay | None:
        """Which session its prices are of; None before they are published."""
        return MarketDay.of(self.steps[SHAPE[0].name].extra)

    @property
    def carried_over_from(self) -> str | None:
        """The batch whose grades hold for it, too, because nothing it is graded from is new."""
        batch = self.steps[GRADING.name].extra.get(CARRIED_FROM)
        return batch if isinstance(batch, str) and batch != self.key and is_key(batch) else None

    @property
    def where(self) -> str:
        """Its open steps in words, or that it is graded; then the optional ones."""
        words = {
            name: f"{name} {step.state}{f' since {step.since:%H:%M}' if step.since else ''}"
            for name, step in self.steps.items()
            if step.state not in ("done", "waiting", "skipped")
        }
        optional = [words.pop(name) for name in list(words) if self.steps[name].optional]
        main = ", ".join(words.values()) or ("graded" if self.settled else "nothing runs")
        return ", ".join([main, *optional])
