"""An incident, and the keys by which task callback, deadline and watchdog know one and the same."""

from dataclasses import dataclass
from enum import StrEnum

from rankalpha.pipeline.market import DEFAULT, Market
from rankalpha.pipeline.pipelines import pipeline_of


class Urgency(StrEnum):
    """Whether to act."""

    ACT_NOW = "ACT NOW"
    LOOK_TODAY = "LOOK TODAY"
    NO_ACTION = "NO ACTION"

    @property
    def meaning(self) -> str:
        """Return it in a sentence."""
        return MEANING[self]


MEANING = {
    Urgency.ACT_NOW: "a batch is not graded, or none can be, until somebody mends this.",
    Urgency.LOOK_TODAY: "no grades are lost yet, but this does not mend itself for sure.",
    Urgency.NO_ACTION: "there is nothing to do; this is for your information.",
}


@dataclass(frozen=True)
class Incident:
    """Something that a person has to be told once; `key` stays the same for as long as it lasts.

    One that has a `batch` is over when that batch is graded.
    """

    key: str
    subject: str
    text: str
    urgency: Urgency = Urgency.LOOK_TODAY
    batch: str = ""
    market: str = DEFAULT  # empty for what is of no market, such as one of Airflow's components

    @property
    def named(self) -> str:
        """The batch as it is told to people."""
        return Market(name=self.market).named(self.batch)


FAILED = "failed "


def is_failure(key: str) -> bool:
    """Tell whether a key is one that `failure` makes."""
    return key.startswith(FAILED)


def failure(dag_id: str, of: str) -> str:
    """Return the key of a failure: of a run or, in a DAG that belongs to no batch, of a task."""
    return f"{FAILED}{dag_id} {of}"


def lateness(dag_id: str, run_id: str) -> str:
    """Return the key of a run that has missed its deadline."""
    return f"late {dag_id} {run_id}"


def pause(dag_id: str) -> str:
    """Return the key of a DAG that is paused while batches wait for it."""
    return f"paused {dag_id}"


def market_of(dag_id: str) -> str:
    """Return the name of the market that a DAG belongs to; empty for one that belongs to none."""
    found = pipeline_of(dag_id)
    return found.market.name if found else ""


def late(dag_id: str, run_id: str, batch: str, minutes: float) -> Incident:
    """Return the incident of a run that was not finished within its minutes."""
    return Incident(
        lateness(dag_id, run_id),
        f"{dag_id} was not finished within {minutes:g} minutes for batch {batch or 'of this run'}",
        f"Run: {run_id}\nIt still goes on, and is ended at its own time limits.\n"
        "Next: look at its log; if it hangs, mark its task as failed or clear it.",
        batch=batch,
        market=market_of(dag_id),
    )
