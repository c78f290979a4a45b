"""Runs a stage: finds or starts its container, waits without holding a worker, and collects its result."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, TaskDeferralTimeout
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from rankalpha import masking
from rankalpha.alerts.notifier import EndedByPerson
from rankalpha.containers import task_log
from rankalpha.containers.durable import check_exit, find_or_start, set_aside
from rankalpha.containers.follow import End, Follower, left
from rankalpha.containers.usage import line, most, sample, told
from rankalpha.logs import bind_batch
from rankalpha.pipeline.batch import BatchError, batch_of, new_batch
from rankalpha.runners import runner
from rankalpha.runners.base import Container, EngineLost, Runner, StageFailed, StageInvalid, StageLeft, Usage
from rankalpha.runners.identity import Identity
from rankalpha.settings import SettingsError, settings
from rankalpha.stages.output import leave
from rankalpha.stages.result import ResultError, parse_result
from rankalpha.stages.stage import Stage
from rankalpha.stages.unreached import unreached, warning

CANNOT_HEAL = (BatchError, SettingsError, StageInvalid, ResultError)
# what a task is in after a person, and not the death of some process, has ended its try
ENDED_BY_PERSON = ("failed", "success", "skipped", "removed", "restarting", "upstream_failed")
# a daemon that restarts is back sooner than a retry would begin
ENGINE_AWAY = Retrying(
    retry=retry_if_exception_type(EngineLost), stop=stop_after_delay(20), wait=wait_fixed(1), reraise=True
)
FEW = 4  # stages that run on an engine; while there are no more, a worker can spare the time to wait for one
MARGIN = timedelta(minutes=1)  # the stage is stopped first; Airflow's own limits are for when nobody does


class Killed(SystemExit):
    """Airflow ends this process; of a kind that no library, nor asyncio, takes for an error of its own."""


class StageOperator(BaseOperator):
    """Run a stage's container for the batch of this run.

    A stage that `consumes` datasets takes the batch that was published there; one that consumes nothing
    starts a new batch. What the task leaves to the publish task is its output, see `rankalpha.stages.output`,
    without a result when the stage has failed. What trying again cannot heal fails at once, without retries.

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
            on_success_callback=_remove_container,
            do_xcom_push=False,  # also a stage that has failed leaves its output
            **kwargs,
        )
        self.stage = stage
        self.consumes = tuple(consumes)
        self._container = ""  # name or id
        self._at_work = False  # with that container

    def execute(self, context: Context) -> None:
        """Find or start the container and wait for it; see `rankalpha.runners` for the ways it can fail."""
        limit = self.stage.time_limit
        with self._working(context):
            engine = runner()
            container = self._found_or_started(context, engine)
            follower = Follower(engine, container.id, task_log.write, self.log)
            wait = self._wait(engine)
            let_go = wait == 0 and container.running and left(container, limit) > 0
            end = "running" if let_go else asyncio.run(follower.follow(limit, wait))
            if end != "running":
                ENGINE_AWAY(self._collect, context, engine, end, follower.usage)
                return
            from rankalpha.containers.trigger import StageTrigger  # noqa: PLC0415  heavy, and not for parsing

            # of a short one, which may end before a triggerer looks
            usage = most(follower.usage, sample(engine, container.id))
        seconds, secrets = limit.total_seconds(), list(self.stage.secrets)
        self.defer(
            trigger=StageTrigger(container.id, seconds, secrets, follower.written),
            method_name="collect",
            kwargs={"container": container.id, "usage": usage},
            timeout=limit + MARGIN,
        )

    def collect(
        self, context: Context, container: str, event: dict[str, Any], usage: Usage | None = None
    ) -> None:
        """Go on after the deferral: `event` is what StageTrigger has fired, `usage` was seen before it."""
        with self._working(context, container):
            if error := event.get("error"):
                raise StageFailed(error)
            if left_out := event.get("left_out"):
                self.log.warning("%s", left_out)  # of the triggerer's own words the last may be lost
            ENGINE_AWAY(self._collect, context, runner(), event["end"], most(usage, event.get("usage")))

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> None:
        """Go on after the deferral; the time limit is enforced here when no triggerer was there to do it."""
        try:
            super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            self.execute(context)

    def on_kill(self) -> None:
        """Leave what is being done; see `_working` for what follows, which is not left again."""
        if self._at_work:
            self._at_work = False
            raise Killed

    def _found_or_started(self, context: Context, engine: Runner) -> Container:
        batch = batch_of(context, self.consumes, self.log) if self.consumes else new_batch(context)
        bind_batch(batch)
        self.log.info("Batch %s", batch)
        identity = Identity.of(context, self.stage.name, batch)
        job = self.stage.job(batch, identity.labels)
        masking.mask(job.env, self.stage.secrets)
        if keys := unreached(job.unreached, self.stage):
            self.log.warning("%s", warning(keys, self.stage))
        self._container = identity.name
        return ENGINE_AWAY(find_or_start, engine, job, identity, self.log)

    def _wait(self, engine: Runner) -> float:
        """Return for how many seconds the worker waits for the stage before it lets go of it."""
        if not settings().defer:
            return math.inf
        few = ENGINE_AWAY(engine.in_flight, FEW + 1) <= FEW
        return settings().defer_after if few else 0

    def _collect(self, context: Context, engine: Runner, end: End, usage: Usage | None) -> None:
        container = engine.look(self._container)
        about = told(engine, container, usage)
        self.log.info("%s", line(about))
        ti, batch = context["ti"], container.labels["rankalpha.batch"]
        try:
            if end == "overdue":
                limit = self.stage.time_limit
                raise StageFailed(f"stage {self.stage.name} was stopped at its time limit of {limit}")
            masking.mask(engine.environment(container.id), self.stage.secrets)  # in this process too
            tail = [masking.masked(line) for line in engine.tail(container.id)]
            if warning := check_exit(self.stage, container, tail):
                self.log.warning(warning)
            result = parse_result(engine.result(container.id, self.stage.name), batch)
        except (StageFailed, ResultError) as error:
            if not isinstance(error, EngineLost):
                self.log.error("%s", masking.quoted(error))  # noqa: TRY400  before the container stops to count
                leave(ti, batch, container=about)
                set_aside(engine, container, ti.try_number)
            raise
        leave(ti, batch, result, about)

    @contextmanager
    def _working(self, context: Context, container: str = "") -> Iterator[None]:
        """Turn errors into Airflow's; when a person has ended the task, stop its container.

        When it was not a person, but this process is no longer wanted because the scheduler has given the
        task to another one, the container goes on for that one.
        """
        self._container, self._at_work = container, True
        try:
            yield
        except (*CANNOT_HEAL, StageFailed) as error:
            text, heals = masking.quoted(error), not isinstance(error, CANNOT_HEAL)
            whole = text == str(error)
            if heals and whole:
                raise
            # Airflow would log the cause with all of its text
            raise (type(error) if heals else AirflowFailException)(text) from (error if whole else None)
        except Killed as killed:
            if self._state(context) not in ENDED_BY_PERSON:
                raise StageLeft("stopped by Airflow; the stage goes on") from killed
            self._stop(context)
            raise EndedByPerson("stopped by Airflow") from killed
        finally:
            self._at_work = False

    def _state(self, context: Context) -> str | None:
        from rankalpha.containers.task_state import state_of  # noqa: PLC0415  heavy, and not for parsing

        return state_of(context["ti"])

    def _stop(self, context: Context) -> None:
        engine = runner()
        if container := engine.find(self._container):
            engine.stop(container.id)
            set_aside(engine, container, context["ti"].try_number)

    def forget(self, context: Context) -> None:
        """Remove the container of a task whose success Airflow has recorded; otherwise a retry needs it."""
        if self._container and self._state(context) == "success":
            runner().remove(self._container)


def _remove_container(context: Context) -> None:
    task: Any = context["task"]
    task.forget(context)
