"""Runs a stage: its container is found or started, followed without a worker, and its result collected."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import TaskDeferralTimeout

from rankalpha.containers.attempt import Attempt
from rankalpha.containers.task_state import state_of
from rankalpha.containers.usage import highest
from rankalpha.logs import bind_batch
from rankalpha.operators.at_once import publish_at_once, published_at_once
from rankalpha.operators.given import given
from rankalpha.operators.reuse import made_by, results_read, used_again
from rankalpha.operators.stage_errors import Killed, as_airflows_errors
from rankalpha.pipeline.batch import batch_of, new_batch
from rankalpha.runners.container import Usage
from rankalpha.runners.failures import StageFailed
from rankalpha.runners.identity import MADE_BY, Identity
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.output import Output, push_output
from rankalpha.stages.stage import Stage

USED_AGAIN = (
    "No container: inputs, image and settings are those of batch %s; its version is used again. "
    "Clear this task to have its container run."
)
MARGIN = timedelta(minutes=1)  # the stage is stopped first; Airflow's own limits are for when nobody does


class StageOperator(BaseOperator):
    """Run a stage's container for the batch of this run; `rankalpha.containers.attempt` does the work.

    A stage that `consumes` datasets takes the batch that was published there; a stage that consumes nothing
    starts a new batch. The publish task reads the task's output, see `rankalpha.stages.output`; the output of
    a failed stage has no result. What another attempt cannot heal fails at once, without retries.

    A version that was made by the same is used again instead, see `rankalpha.operators.reuse`.

    The container is durable, see `rankalpha.containers.durable`: a retry adopts it. Unless RANKALPHA_DEFER is
    off, the task is deferred while it runs: after RANKALPHA_DEFER_AFTER seconds, or at once when many run.
    """

    def __init__(self, *, stage: Stage, consumes: Sequence[Asset] = (), **kwargs: Any) -> None:
        if queue := settings().stage_queues.get(stage.name):
            kwargs["queue"] = queue
        super().__init__(
            inlets=list(consumes),
            execution_timeout=stage.time_limit + MARGIN,
            pool=stage.market.pool,
            on_success_callback=[_remove_container, published_at_once],
            do_xcom_push=False,  # the output is pushed by hand, also that of a failed stage
            **kwargs,
        )
        self.stage = stage
        self.consumes = tuple(consumes)
        self._attempt: Attempt | None = None
        self._at_work = False  # with the container of that attempt

    def execute(self, context: Context) -> None:
        """Find or start the container and wait for it; see `rankalpha.runners` for the ways it can fail."""
        with self._working(context) as attempt:
            output = self._run(context, attempt)
        if output:
            publish_at_once(self, context, output)
            return
        from rankalpha.containers.trigger import StageTrigger  # noqa: PLC0415  heavy, and not for parsing

        limit = self.stage.time_limit
        self.defer(
            trigger=StageTrigger(
                attempt.container, limit.total_seconds(), list(self.stage.secrets), attempt.written
            ),
            method_name="collect",
            kwargs={"container": attempt.container, "usage": attempt.usage},
            timeout=limit + MARGIN,
        )

    def _run(self, context: Context, attempt: Attempt) -> Output | None:
        """Find or start the container; return the output of the stage, or None while it runs."""
        batch = self._batch(context)
        identity = Identity.of(context, self.stage.name, batch)
        versions = given(context, self, batch, self.stage) if self.stage.output else None
        job = attempt.job(batch, identity, versions)
        if key := self._made_by(context, attempt, job):
            job = replace(job, labels={**job.labels, MADE_BY: key})
            if not attempt.began(identity) and (output := self._used_again(context, job, key)):
                return output
        end = attempt.follow(job, identity)
        return None if end == "running" else attempt.collect(end)

    def collect(
        self, context: Context, container: str, event: dict[str, Any], usage: Usage | None = None
    ) -> None:
        """Go on after the deferral: StageTrigger fired `event`, and `usage` was seen before the deferral."""
        with self._working(context, container) as attempt:
            if error := event.get("error"):
                raise StageFailed(error)
            if left_out := event.get("left_out"):
                self.log.warning("%s", left_out)  # the triggerer may lose its own last lines
            attempt.usage = highest(usage, event.get("usage"))
            output = attempt.collect(event["end"])
        publish_at_once(self, context, output)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> None:
        """Go on after the deferral; without a triggerer, the time limit is enforced here."""
        try:
            super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            self.execute(context)

    def on_kill(self) -> None:
        """Interrupt the work on a container, once; `_working` does what follows."""
        if self._at_work:
            self._at_work = False
            raise Killed

    def forget(self, context: Context) -> None:
        """Remove the container of a task whose success Airflow has recorded; otherwise a retry needs it."""
        if self._attempt and state_of(context["ti"]) == "success":
            self._attempt.remove()

    def _made_by(self, context: Context, attempt: Attempt, job: StageJob) -> str | None:
        """Return the digest of what the stage's version is made by; None for one that is never used again."""
        if not job.reuse:
            return None
        read = results_read(context, self, job.batch, self.stage.market)
        return made_by(job, attempt.fingerprint(job), read) if read else None

    def _used_again(self, context: Context, job: StageJob, key: str) -> Output | None:
        """Push the result of an earlier version that was made by the same, if there is one."""
        found = used_again(context, self, job, key, self.log)
        if not found:
            return None
        maker, result = found
        self.log.info(USED_AGAIN, maker)
        return push_output(context["ti"], job.batch, result, made_by=key, reused_from=maker)

    def _batch(self, context: Context) -> str:
        batch = batch_of(context, self.consumes, self.log) if self.consumes else new_batch(context)
        bind_batch(batch)
        self.log.info("Batch %s", batch)
        return batch

    @contextmanager
    def _working(self, context: Context, container: str = "") -> Iterator[Attempt]:
        """Give an attempt of the task, which `on_kill` may interrupt."""
        self._attempt = attempt = Attempt(self.stage, context["ti"], self.log, container)
        self._at_work = True
        try:
            with as_airflows_errors(attempt, context["ti"]):
                yield attempt
        finally:
            self._at_work = False


def _remove_container(context: Context) -> None:
    task: Any = context["task"]
    task.forget(context)
