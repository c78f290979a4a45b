"""One attempt of a stage's task, at work on the container of the task."""

import asyncio
import math
from functools import cached_property
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from rankalpha import masking
from rankalpha.containers import task_log
from rankalpha.containers.collect import collected
from rankalpha.containers.durable import find_or_start
from rankalpha.containers.follow import End, Follower, seconds_left
from rankalpha.containers.usage import container_report, highest, report_line, sample
from rankalpha.pipeline.versions import Given
from rankalpha.runners import runner
from rankalpha.runners.base import Runner
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.failures import EngineLost, StageFailed
from rankalpha.runners.identity import MADE_BY, Identity
from rankalpha.runners.line import NOTHING, Mark
from rankalpha.settings import settings
from rankalpha.stages.given import environment
from rankalpha.stages.job import StageJob
from rankalpha.stages.output import Output, push_output
from rankalpha.stages.stage import Stage
from rankalpha.stages.storable import ResultError
from rankalpha.stages.unreached import unreached, warning

# a daemon that restarts is back sooner than a retry would begin
ENGINE_AWAY = Retrying(
    retry=retry_if_exception_type(EngineLost), stop=stop_after_delay(20), wait=wait_fixed(1), reraise=True
)
FEW = 4  # stages that run on an engine; up to this number, a worker can spare the time to wait for its stage


class Attempt:
    """Finds or starts the container of a stage's task, follows it, and collects its result.

    `container` is the container's name or id, empty until it is known; `usage` is what it was seen to use,
    and `written` is how far its output is in the log of the task. Every method but `stop` and `remove` raises
    StageFailed and its kinds, see `rankalpha.runners.base`.
    """

    def __init__(self, stage: Stage, ti: Any, log: Any, container: str = "") -> None:
        self._stage = stage
        self._ti = ti
        self._log = log
        self.container = container
        self.usage: Usage | None = None
        self.written: Mark = NOTHING

    @cached_property
    def _engine(self) -> Runner:
        return runner()

    def job(self, batch: str, identity: Identity, given: Given | None = None) -> StageJob:
        """Return what the stage is to do for `batch`; `given` are the versions, for one that takes part.

        Raises SettingsError for a setting of the stage that is not usable.
        """
        stage, versions = self._stage, {}
        if given:
            root = self._engine.data_root(stage)
            versions = environment(stage, given, root, batch, identity.version)
        job = StageJob.of(stage, batch, identity.labels, versions)
        masking.mask(job.env, stage.secrets)
        return job

    def fingerprint(self, job: StageJob) -> str | None:
        """Return the digest of what the job would run; None when it is not known."""
        return ENGINE_AWAY(self._engine.fingerprint, job)

    def began(self, identity: Identity) -> bool:
        """Return whether the container of an earlier attempt counts."""
        return ENGINE_AWAY(self._engine.find, identity.name) is not None

    def follow(self, job: StageJob, identity: Identity) -> End:
        """Find or start the container of a job and wait for it; return `running` if the task has to defer."""
        container = self._found_or_started(job, identity)
        limit, wait = self._stage.time_limit, self._seconds_to_wait()
        follower = Follower(self._engine, container.id, task_log.write, self._log)
        if wait == 0 and container.running and seconds_left(container, limit) > 0:
            end: End = "running"
        else:
            end = asyncio.run(follower.follow(limit, wait))
        self.usage, self.written = follower.usage, follower.written
        if end == "running":  # a short stage may end before a triggerer samples it
            self.usage = highest(self.usage, sample(self._engine, container.id))
        return end

    def collect(self, end: End) -> Output:
        """Push the output of the container, which has ended, and return it; a failed one is then set aside.

        Raises ResultError for a malformed result.
        """
        output: Output = ENGINE_AWAY(self._collect, end)
        return output

    def stop(self) -> None:
        """Stop the container and set it aside, if there is one."""
        if self.container and (container := self._engine.find(self.container)):
            self._engine.stop(container.id)
            self._engine.set_aside(container.id, self._ti.try_number)

    def remove(self) -> None:
        """Remove the container, which nobody needs any more."""
        if self.container:
            self._engine.remove(self.container)

    def _found_or_started(self, job: StageJob, identity: Identity) -> Container:
        if keys := unreached(job.unreached, self._stage):
            self._log.warning("%s", warning(keys, self._stage))
        self.container = identity.name  # for `stop`, should this process be killed meanwhile
        container: Container = ENGINE_AWAY(find_or_start, self._engine, job, identity, self._log)
        self.container = container.id
        return container

    def _seconds_to_wait(self) -> float:
        """Return for how many seconds the worker waits for the stage before the task is deferred."""
        if not settings().defer:
            return math.inf
        few = ENGINE_AWAY(self._engine.in_flight, FEW + 1) <= FEW
        return settings().defer_after if few else 0

    def _collect(self, end: End) -> Output:
        container = self._engine.inspect(self.container)
        report = container_report(self._engine, container, self.usage)
        self._log.info("%s", report_line(report))
        batch = container.labels["rankalpha.batch"]
        try:
            result = collected(self._engine, self._stage, container, end, self._log)
        except (StageFailed, ResultError) as error:
            if not isinstance(error, EngineLost):
                # the report comes first: a container that is set aside is not collected again
                self._log.error("%s", masking.quoted(error))
                push_output(self._ti, batch, container=report, failed=True)
                self._engine.set_aside(container.id, self._ti.try_number)
            raise
        return push_output(self._ti, batch, result, report, made_by=container.labels.get(MADE_BY))
