"""Settings of the stages: what runs them, and how a run goes."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from rankalpha.settings.environment import (
    A_CENTURY,
    MOST_RETRIES,
    MOST_SLOTS,
    SECONDS,
    EngineUrl,
    Environment,
    SettingsError,
)


class RunnerSettings(Environment):
    """What runs a stage, and how many at the same time."""

    runner: str = Field(
        default="docker", description="How a stage runs: `docker` (a container) or `process`."
    )
    docker_url: EngineUrl = Field(
        default="unix:///var/run/docker.sock",
        description="Address of the engine of the docker runner.",
    )
    data_dir: Path = Field(
        default=Path("/data"), description="Root of the data volumes as the stages see it."
    )
    app_dir: Path = Field(
        default=Path("/app"),
        description="What the process runner uses for /app: the checkout that holds apps/.",
    )
    process_dir: Path = Field(
        default=Path("/var/lib/rankalpha/processes"),
        description="The process runner's folder, with a folder for each process, its output and its result.",
    )
    stack: str = Field(default="", description="Set by the embedded stack to recognise its own stages.")
    queues: str = Field(
        default="",
        description="Celery queues of stages that certain workers run: `sentiment=large,scorer=small`.",
    )
    stage_slots: int = Field(
        default=8,
        gt=0,
        le=MOST_SLOTS,
        description="Most stages that run at the same time, on all workers together.",
    )
    defer: bool = Field(
        default=True,
        description="The triggerer waits for stages; false: the worker that has started the stage waits.",
    )
    defer_after: float = Field(
        default=5,
        ge=0,
        le=SECONDS,
        description="Seconds that a worker itself waits for its stage while few stages run; 0: not at all.",
    )
    log_mb: float = Field(
        default=10,
        gt=0,
        le=20,
        description="Megabytes of its stage's output that the log of a task holds; the rest is counted.",
    )

    @property
    def stage_queues(self) -> dict[str, str]:
        """The queues of the stages that have their own, by stage; SettingsError for a malformed pair."""
        pairs = [pair.partition("=") for pair in self.queues.replace(" ", "").split(",") if pair]
        if any(not (stage and queue) for stage, _, queue in pairs):
            raise SettingsError(f"RANKALPHA_QUEUES={self.queues!r}: expected STAGE=QUEUE,STAGE=QUEUE")
        return {stage: queue for stage, _, queue in pairs}


class RunSettings(Environment):
    """How a stage's run goes: attempts, time limit, and what is published."""

    require_result: bool = Field(
        default=False,
        description="Publish only if the stage has reported a result; RankAlpha's own images report none.",
    )
    max_age_days: int = Field(
        default=7,
        ge=0,
        le=A_CENTURY,
        description="Days that prices of a market without a calendar may end before the batch's day.",
    )
    max_sessions_behind: int = Field(
        default=1,
        ge=0,
        le=A_CENTURY,
        description="Closed sessions that the prices of a market with a calendar may lack; the first warns.",
    )
    retries: int = Field(
        default=3, ge=0, le=MOST_RETRIES, description="How often a failed task is attempted again."
    )
    retry_delay: int = Field(
        default=300,
        ge=0,
        le=SECONDS,
        description="Seconds before the first retry; doubled before each further retry.",
    )
    max_retry_delay: int = Field(
        default=1800, ge=0, le=SECONDS, description="Most seconds that a retry waits."
    )
    stage_timeout: int | None = Field(
        default=None,
        gt=0,
        le=SECONDS,
        description="Seconds after which a stage is stopped; unset: each stage's own limit.",
    )
    after_pause: Literal["every", "newest"] = Field(
        default="every",
        description="What a DAG runs once it is unpaused: every batch that waits for it, or the newest only.",
    )

    @property
    def retry_wait(self) -> timedelta:
        """Wait before the first retry."""
        return timedelta(seconds=self.retry_delay)

    @property
    def max_retry_wait(self) -> timedelta:
        """Longest wait before a retry."""
        return timedelta(seconds=self.max_retry_delay)
