"""The incident of a failed run: what alert, watchdog, health, page and metrics all say of it.

The task that failed and the watchdog's round know different things of a run, but both give them to
`FailedRun`, so that key, subject, urgency, batch and advice are the same whoever reports it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rankalpha.alerts.incident import Incident, Urgency, failure
from rankalpha.alerts.runbook import Heading, leading_to
from rankalpha.contract.contract import RESULT, failed
from rankalpha.contract.report import sentence
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.steps import Step
from rankalpha.remedy import command, recreate
from rankalpha.settings import settings
from rankalpha.texts import shown

CLEAR = (
    "Read the log, fix the cause, then clear the task. Running it again is safe, unless your own image adds "
    "rows each time."
)


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A failed run of a pipeline; without a `batch` it has found none, or its `key` names none.

    `blocked` is what its contract has refused (see `rankalpha.contract.quarantine`), `follow_up` says that
    it has published and a task after that has failed.
    """

    pipeline: Pipeline
    dag_id: str
    run_id: str
    batch: str = ""
    key: str = ""
    blocked: Mapping[str, Any] | None = None
    follow_up: bool = False

    def incident(self, *lines: str) -> Incident:
        """Return it as an incident; `lines` say more of it, such as the error."""
        act_now = self.batch and not self.follow_up and not self._step.optional
        return Incident(
            failure(self.dag_id, self.run_id),
            self.subject,
            leading_to(self._heading, *lines, f"Next: {self._advice}"),
            Urgency.ACT_NOW if act_now else Urgency.LOOK_TODAY,
            self.batch,
            self.pipeline.market.name,
        )

    @property
    def subject(self) -> str:
        """What has happened, in a line."""
        if self.blocked:
            return f"batch {self.batch} is blocked in {self._step.writes} by its contract"
        if self.follow_up and self.batch:
            return f"{self.dag_id} did not notify the frontend of batch {self.batch}"
        if self.batch:
            return f"{self.dag_id} failed for batch {self.batch}"
        if self.key:
            return f"{self.dag_id} failed: there is no batch {shown(self.key)} for it"
        return f"{self.dag_id} failed (run {self.run_id}; batch not known)"

    @property
    def checks(self) -> Iterator[str]:
        """The line that names the checks that block, if any do."""
        if broken := failed((self.blocked or {}).get("checks") or (), "block"):
            yield f"Checks: {'. '.join(map(sentence, broken))}."

    @property
    def _step(self) -> Step:
        return next(step for step in self.pipeline.steps if step.dag_id == self.dag_id)

    @property
    def _heading(self) -> Heading:
        if self.blocked:
            return Heading.BLOCKED
        if self.follow_up:
            return Heading.FRONTEND
        return Heading.FAILED if self.batch else Heading.NO_BATCH

    @property
    def _advice(self) -> str:
        if self.blocked:
            return self._publish_anyway()
        if self.batch:
            return CLEAR
        ingests = self.dag_id == self.pipeline.ingestion
        without = "a new batch" if ingests else "the newest batch"
        return (
            f"Nothing waits for this run. If its key is wrong, trigger {self.dag_id} again with the right "
            f"one, or without a key for {without}. Otherwise read the log, fix the cause, then clear the "
            "task."
        )

    def _publish_anyway(self) -> str:
        market = self.pipeline.market
        market_option = ("--market", market.name) if market.folder else ()
        options = ("--batch", self.batch, "--dataset", self._step.output, "--reason", "why it is right")
        checks = (self.blocked or {}).get("checks") or ()
        silent = any(check["name"] == RESULT for check in failed(checks, "block"))
        return (
            (_reports_nothing() if silent else "Fix the data, then clear the stage's task.")
            + "\nThe result was kept and not published. If it is right all the same, publish it anyway, on "
            "record: on the page RankAlpha, or by\n"
            f"  {command('publish-anyway', *market_option, *options)}"
        )


def _reports_nothing() -> str:
    """Return what to do when an image or API reports nothing, which those of others may."""
    return (
        "If your own image or API reports nothing, set RANKALPHA_REQUIRE_RESULT=false in "
        f"env/{settings().env}/airflow.env, apply it with `{recreate()}`, and clear this task. "
        "If it should have reported a result, fix it, then clear the stage's task."
    )
