"""Publishes a batch in a dataset: the circuit breaker between a stage and everything downstream."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from rankalpha.contract import Contract
from rankalpha.defaults import PUBLISH, PUBLISH_POOL
from rankalpha.settings import settings

TRIAL = "__airflow_temporary_run_"  # how the ids of runs of `airflow tasks test` begin


class PublishOperator(BaseOperator):
    """Publish a batch in a dataset: check the result of the task before it, then emit the event.

    Emitting is a task of its own in a pool of one slot, because two events that are registered for one batch
    at the same instant can cost it its grading (Airflow issue 71070). A result that breaks the contract fails
    the task and publishes nothing: downstream keeps the last good data. So does a run whose param `publish`
    is off, whose tasks after this one are skipped.
    """

    def __init__(self, *, dataset: Asset, contract: Contract, **kwargs: Any) -> None:
        super().__init__(
            outlets=[dataset], pool=PUBLISH_POOL, execution_timeout=timedelta(minutes=5), **kwargs
        )
        self.dataset = dataset
        self.contract = contract

    def execute(self, context: Context) -> None:
        """Check and publish; the event's `extra` is the result."""
        if context["ti"].run_id.startswith(TRIAL):  # the scheduler takes it for a real run
            raise AirflowSkipException("a trial by `airflow tasks test` publishes nothing")
        (source,) = self.upstream_task_ids
        batch = context["ti"].xcom_pull(task_ids=source, key="batch")
        result = context["ti"].xcom_pull(task_ids=source, key="result")
        if not batch:
            raise AirflowFailException(f"{source} left no batch to publish; run it before this task")
        problems = self._problems(result)
        if problems:
            raise AirflowFailException(
                f"batch {batch} is not published in {self.dataset.name}: {'; '.join(problems)}"
            )
        if not context["params"].get(PUBLISH, True):
            raise AirflowSkipException(f"batch {batch} is fit to publish; this run was told not to")
        event = context["outlet_events"][self.dataset]
        event.extra = {**(result or {}), "batch": batch}
        event.add_partitions(batch)  # also for a run that was triggered without a partition key
        self.log.info(
            "Published batch %s in %s: %s", batch, self.dataset.name, result or "no result reported"
        )

    def _problems(self, result: dict[str, Any] | None) -> list[str]:
        if result is not None:
            return self.contract.violations(result)
        return ["the stage reported no result"] if settings().require_result else []
