"""Runs a stage once, outside of Airflow: no task has its container, and nobody publishes what it writes."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rankalpha.containers.collect import collected
from rankalpha.containers.durable import find_or_start
from rankalpha.containers.follow import Follower
from rankalpha.containers.usage import container_report
from rankalpha.runners.base import Runner
from rankalpha.runners.failures import StageFailed
from rankalpha.runners.identity import UNTIL, Identity
from rankalpha.stages.job import StageJob

MARGIN = timedelta(minutes=1)  # between the time limit of a stage and its being swept


class NotStarted(StageFailed):
    """The engine did not start the stage."""


def run_once(
    engine: Runner, job: StageJob, identity: Identity, log: Any
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Run a job to its end and remove its container; return its result, and what it has used.

    When this process is killed, the container runs on, and is swept after the time limit of the stage. Raises
    NotStarted, StageFailed for a stage that has failed, and ResultError for a malformed result.
    """
    until = datetime.now(UTC) + job.stage.time_limit + MARGIN
    job = replace(job, labels={**job.labels, UNTIL: until.isoformat()})
    try:
        try:
            container = find_or_start(engine, job, identity, log)
        except StageFailed as error:
            raise NotStarted(str(error)) from error
        follower = Follower(engine, container.id, lambda _line: None, log)
        end = asyncio.run(follower.follow(job.stage.time_limit))
        container = engine.inspect(container.id)
        result = collected(engine, job.stage, container, end, log)
        return result, container_report(engine, container, follower.usage)
    finally:
        if left := engine.find(identity.name):
            engine.remove(left.id)
