"""Publishes a batch in a dataset: the circuit breaker between a stage and everything downstream."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from rankalpha.contract import Contract, Outcome
from rankalpha.contract.contract import failed
from rankalpha.contract.quarantine import PUBLISH_ANYWAY, QUARANTINE, forced
from rankalpha.contract.report import lines, sentence
from rankalpha.logs import bind_batch
from rankalpha.pipeline.batch import earlier
from rankalpha.pipeline.market import PUBLISH_POOL
from rankalpha.settings import settings
from rankalpha.stages.output import PUBLISH, left
from rankalpha.texts import cut

QUOTED = 2_000  # characters of a result in the log
TRIAL = "__airflow_temporary_run_"  # how the ids of runs of `airflow tasks test` begin


class PublishOperator(BaseOperator):
    """Publish a batch in a dataset: check the result of the task before it, then emit the event.

    Emitting is a task of its own in a pool of one slot, because two events that are registered for one batch
    at the same instant can cost it its grading (Airflow issue 71070). A result that breaks the contract fails
    the task and publishes nothing: downstream keeps the last good data, and the result is kept as the XCom
    `quarantine`. A person may publish it, once and on record: see `rankalpha.contract.quarantine`.
    Nor does a run publish whose param `publish` is off; its tasks after this one are skipped.
    """

    def __init__(
        self, *, dataset: Asset, contract: Contract, pool: str = PUBLISH_POOL, **kwargs: Any
    ) -> None:
        super().__init__(outlets=[dataset], pool=pool, execution_timeout=timedelta(minutes=5), **kwargs)
        self.dataset = dataset
        self.contract = contract

    def execute(self, context: Context) -> None:
        """Check and publish; the event's `extra` is the result with `batch`, `checks` and `container`."""
        ti = context["ti"]
        if ti.run_id.startswith(TRIAL):  # the scheduler takes it for a real run
            raise AirflowSkipException("a trial by `airflow tasks test` publishes nothing")
        (source,) = self.upstream_task_ids
        output = left(ti, source)
        batch, result = output["batch"], output["result"]
        if not batch:
            raise AirflowFailException(f"{source} left no batch to publish; run it before this task")
        bind_batch(batch)
        checks = self._checked(context, batch, result)
        word = self._word(context, source, checks) if (broken := failed(checks, "block")) else None
        if broken and not word:
            ti.xcom_push(key=QUARANTINE, value={**output, "checks": checks})
            raise AirflowFailException(
                f"batch {batch} is not published in {self.dataset.name}: {'. '.join(map(sentence, broken))}"
            )
        if not context["params"].get(PUBLISH, True):
            raise AirflowSkipException(f"batch {batch} is fit to publish; this run was told not to")
        extra: dict[str, Any] = {**(result or {}), "batch": batch, "checks": checks}
        more = {"container": output["container"], "forced": word}
        event = context["outlet_events"][self.dataset]
        event.extra = extra | {key: value for key, value in more.items() if value}
        event.add_partitions(batch)  # also for a run that was triggered without a partition key
        self.log.info(
            "Published batch %s in %s: %s",
            batch,
            self.dataset.name,
            cut(str(result), QUOTED) if result else "no result reported",
        )

    def _checked(self, context: Context, batch: str, result: dict[str, Any] | None) -> list[Outcome]:
        """Evaluate the contract, and write what came of it to the log."""
        before = earlier(context, self.dataset, batch)
        checks = self.contract.evaluate(batch, result, before, settings().require_result)
        self.log.info("Batch %s by the contract of %s:", batch, self.dataset.name)
        for level, line in lines(checks):
            self.log.log(level, line)
        return checks

    def _word(self, context: Context, source: str, checks: Sequence[Outcome]) -> dict[str, str] | None:
        """Return the word of a person who has this try publish in spite of what the checks say."""
        given = context["ti"].xcom_pull(task_ids=source, key=PUBLISH_ANYWAY)
        word = forced(given, context["ti"].try_number)
        if word:
            names = ", ".join(one["name"] for one in failed(checks, "block"))
            self.log.warning("Published anyway, in spite of %s, by %s: %s", names, word["by"], word["reason"])
        elif given:
            self.log.warning("A word to publish anyway is not of this try, and does not hold: %s", given)
        return word
