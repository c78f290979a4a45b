"""The operators of a stage DAG: run a stage, then publish its dataset."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.log import mask_secret

from rankalpha.batch import BatchError, batch_of, new_batch
from rankalpha.contract import Contract
from rankalpha.defaults import PUBLISH_POOL, STAGE_POOL
from rankalpha.result import ResultError, parse_result
from rankalpha.runners import Runner, StageInvalid, runner
from rankalpha.settings import SettingsError, settings
from rankalpha.stage import Stage, StageJob

URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^:/@\s]*:([^@/\s]+)@", re.IGNORECASE)
SHORTEST_MASKED = 5  # characters; [logging] min_length_masked_secret
TRIAL = "__airflow_temporary_run_"  # how the ids of runs of `airflow tasks test` begin
CANNOT_HEAL = (BatchError, SettingsError, StageInvalid, ResultError)


class StageOperator(BaseOperator):
    """Run a stage's container for the batch of this run.

    A stage that `consumes` datasets takes the batch that was published there; one that consumes nothing
    starts a new batch. The batch and the stage's result are pushed as XComs `batch` and `result` for the
    publish task. What trying again cannot heal fails at once, without the retries.
    """

    def __init__(self, *, stage: Stage, consumes: Sequence[Asset] = (), **kwargs: Any) -> None:
        if queue := settings().stage_queues.get(stage.name):
            kwargs["queue"] = queue
        super().__init__(
            inlets=list(consumes),
            execution_timeout=stage.time_limit,
            pool=STAGE_POOL,
            do_xcom_push=False,  # what a stage returns is its result, pushed under its own key
            **kwargs,
        )
        self.stage = stage
        self.consumes = tuple(consumes)
        self._runner: Runner | None = None

    def execute(self, context: Context) -> None:
        """Run the stage; see `rankalpha.runners` for the ways it can fail."""
        try:
            batch = batch_of(context, self.consumes, self.log) if self.consumes else new_batch(context)
            self.log.info("Batch %s", batch)
            context["ti"].xcom_push(key="batch", value=batch)
            job = self.stage.job(batch, labels=_labels(context, batch))
            _mask(job)
            self._runner = runner()
            result = parse_result(self._runner.run(job, self.log), batch)
        except CANNOT_HEAL as error:
            raise AirflowFailException(str(error)) from error
        context["ti"].xcom_push(key="result", value=result)

    def on_kill(self) -> None:
        """Stop the stage when its task is killed or times out."""
        if self._runner:
            self._runner.stop()


class PublishOperator(BaseOperator):
    """Publish a batch in a dataset: check the result of the task before it, then emit the event.

    Emitting is a task of its own in a pool of one slot, because two events that are registered for one batch
    at the same instant can cost it its grading (Airflow issue 71070). A result that breaks the contract fails
    the task and publishes nothing: downstream keeps the last good data.
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


def _mask(job: StageJob) -> None:
    """Keep secrets out of the log, should the stage print them."""
    # values of keys that sound secret; of any shorter value Airflow says that it cannot mask it
    mask_secret({key: value for key, value in job.env.items() if len(value) >= SHORTEST_MASKED})
    mask_secret([job.env[key] for key in job.stage.secrets if key in job.env])
    mask_secret([found[1] for value in job.env.values() if (found := URL_PASSWORD.match(value))])


def _labels(context: Context, batch: str) -> dict[str, str]:
    ti = context["ti"]
    identity = {"dag": ti.dag_id, "task": ti.task_id, "run": ti.run_id, "try": ti.try_number, "batch": batch}
    return {f"rankalpha.{key}": str(value) for key, value in identity.items()}
