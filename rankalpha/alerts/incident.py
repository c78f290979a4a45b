"""An incident, and the keys by which task callback, deadline and watchdog recognise the same incident."""

from dataclasses import dataclass
from enum import StrEnum

from rankalpha.alerts.runbook import Heading, leading_to
from rankalpha.pipeline.market import DEFAULT, Market
from rankalpha.pipeline.pipelines import pipeline_of

STORE = "incidents"  # the asset in whose state store they are while they are open


class Urgency(StrEnum):
    """Whether somebody has to act, and when."""

    ACT_NOW = "ACT NOW"
    LOOK_TODAY = "LOOK TODAY"
    NO_ACTION = "NO ACTION"

    @property
    def meaning(self) -> str:
        """Return what it asks of the reader, in a sentence."""
        return MEANING[self]


MEANING = {
    Urgency.ACT_NOW: "a batch cannot be graded until someone fixes this.",
    Urgency.LOOK_TODAY: "no grades are lost yet, but this may not resolve itself.",
    Urgency.NO_ACTION: "there is nothing to do; this is for your information.",
}


@dataclass(frozen=True)
class Incident:
    """Something to alert a person to, once; `key` stays the same for as long as it lasts.

    An incident that has a `batch` is resolved when that batch is graded.
    """

    key: str
    subject: str
    text: str
    urgency: Urgency = Urgency.LOOK_TODAY
    batch: str = ""
    market: str = DEFAULT  # empty for what belongs to no market, such as a component of Airflow

    @property
    def named(self) -> str:
        """The batch as people read it."""
        return Market(name=self.market).named(self.batch)


FAILED = "failed "


def is_failure(key: str) -> bool:
    """Return whether a key was made by `failure`."""
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
    """Return the name of the market that a DAG belongs to; empty when it belongs to none."""
    pipeline = pipeline_of(dag_id)
    return pipeline.market.name if pipeline else ""


def late(dag_id: str, run_id: str, batch: str, minutes: float) -> Incident:
    """Return the incident of a run that did not finish within its minutes."""
    of_batch = f" for batch {batch}" if batch else f" (run {run_id}; batch not known yet)"
    return Incident(
        lateness(dag_id, run_id),
        f"{dag_id} did not finish within {minutes:g} minutes{of_batch}",
        leading_to(
            Heading.LATE,
            f"Run: {run_id}",
            "The run has not ended; its tasks still have their own time limits.",
            "Next: Read its log. If it hangs, mark its task as failed, or clear it.",
        ),
        batch=batch,
        market=market_of(dag_id),
    )
