"""Settings of the orchestration itself: the only place that reads them from the environment.

They are safe to read while a DAG file is parsed: no database, no API. What a *stage* is given (images,
limits, keys of its env file) is looked up when its task runs, see `rankalpha.stages.profile`.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rankalpha.usable import engine_problem, text_problem, url_problem

# nobody waits longer, and more of it Airflow, PostgreSQL and Python's own dates cannot count
A_YEAR = timedelta(days=366)
SECONDS, MINUTES, HOURS = (A_YEAR // timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
A_CENTURY = 36525  # days
MOST_SLOTS = 2**31 - 1  # of a pool, in Airflow's database
MOST_RETRIES = 1000


class SettingsError(Exception):
    """A setting is missing or makes no sense; the message names the key, its value and what is allowed."""


def _checked(problem_of: Callable[[Any], str]) -> AfterValidator:
    def check(value: Any) -> Any:
        if problem := problem_of(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


Url = Annotated[str, _checked(url_problem)]
SecretUrl = Annotated[SecretStr, _checked(lambda url: url and url_problem(url.get_secret_value()))]
EngineUrl = Annotated[str, _checked(engine_problem)]


class Environment(BaseSettings):
    """Settings that are read from environment variables: the class's prefix and the field's name."""

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and (problem := text_problem(text)):
            raise ValueError(problem)
        return value

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsError naming each variable that is wrong, with its value."""
        try:
            return cls()
        except ValidationError as error:
            problems = (
                f"{cls._said(str(e['loc'][0]), e['input'])}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            )
            raise SettingsError("; ".join(problems)) from error

    @classmethod
    def _said(cls, name: str, value: Any) -> str:
        key = f"{cls.model_config['env_prefix']}{name.upper()}"
        return key if cls.model_fields[name].annotation is SecretStr else f"{key}={value!r}"


class Settings(Environment):
    """Each field is the environment variable RANKALPHA_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_", env_ignore_empty=True, frozen=True)

    env: str = Field(
        default="local", description="Profile: the folder of env/ that stages are configured by."
    )
    env_dir: Path = Field(
        default=Path("/opt/rankalpha/env"),
        description="Folder of the profiles: <env_dir>/<profile>/<stage>.env.",
    )
    markets: Path = Field(
        default=Path("/opt/rankalpha/datasets/markets.toml"),
        description="File of the markets; the pipeline exists once for each of its tables.",
    )
    runner: str = Field(
        default="docker", description="How a stage runs: `docker` (a container) or `process`."
    )
    docker_url: EngineUrl = Field(
        default="unix:///var/run/docker.sock",
        description="The engine of the docker runner.",
    )
    data_dir: Path = Field(
        default=Path("/data"), description="Root of the data volumes as the stages see it."
    )
    app_dir: Path = Field(
        default=Path("/app"),
        description="The process runner's stand-in for /app: the checkout that holds apps/.",
    )
    process_dir: Path = Field(
        default=Path("/var/lib/rankalpha/processes"),
        description="The process runner's folder: a folder for each process, with its output and result.",
    )
    stack: str = Field(
        default="", description="Set by the embedded stack, so that its stages are known as its own."
    )
    airflow_url: Url = Field(
        default="http://airflow-webserver:8080",
        description="Airflow's API, for the scripts and the maintenance.",
    )
    api_url: Url = Field(
        default="http://api:6080", description="RankAlpha's API where the profile names none."
    )
    frontend_url: Url = Field(
        default="http://frontend:3000", description="The frontend where the profile names none."
    )
    require_result: bool = Field(
        default=False,
        description="Publish only what a stage has reported on; RankAlpha's own images report nothing.",
    )
    max_age_days: int = Field(
        default=7,
        ge=0,
        le=A_CENTURY,
        description="Days before the batch's day that its prices may end: a long weekend, and some more.",
    )
    queues: str = Field(
        default="",
        description="Celery queues of stages that certain workers run: `sentiment=large,scorer=small`.",
    )
    stage_slots: int = Field(
        default=8,
        gt=0,
        le=MOST_SLOTS,
        description="Stages that run at the same time at most, on all workers together.",
    )
    defer: bool = Field(
        default=True,
        description="The triggerer waits for stages; false: the worker that started one does.",
    )
    defer_after: float = Field(
        default=5,
        ge=0,
        le=SECONDS,
        description="Seconds that a worker waits for its stage itself, while few stages run; 0: none.",
    )
    log_mb: float = Field(
        default=10,
        gt=0,
        le=20,
        description="Megabytes that the log of a task takes of its stage's output; the rest is counted.",
    )
    keep_failed_hours: float = Field(
        default=24,
        ge=0,
        le=HOURS,
        description="How long the container of a failed stage is kept for inspection.",
    )
    keep_log_days: int = Field(
        default=30, ge=0, le=A_CENTURY, description="Days that logs are kept; 0: for ever."
    )
    keep_metadata_days: int = Field(
        default=90,
        ge=0,
        le=A_CENTURY,
        description="Days that Airflow's database keeps runs and its own log; 0: for ever.",
    )
    retries: int = Field(
        default=3, ge=0, le=MOST_RETRIES, description="How often a failed task is tried again."
    )
    retry_delay: int = Field(
        default=300,
        ge=0,
        le=SECONDS,
        description="Seconds before the first retry; each further one doubles.",
    )
    max_retry_delay: int = Field(
        default=1800, ge=0, le=SECONDS, description="Seconds that a retry waits at most."
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
    watch_days: float = Field(
        default=3, gt=0, le=A_CENTURY, description="Days that the watchdog looks back for batches."
    )
    graded_within: int = Field(
        default=45,
        gt=0,
        le=MINUTES,
        description="Minutes after its start in which a batch has to be graded.",
    )
    started_within: int = Field(
        default=15,
        gt=0,
        le=MINUTES,
        description="Minutes after 06:00 UTC in which the day's batch has to be there.",
    )
    finished_within: float = Field(
        default=30,
        gt=0,
        le=MINUTES,
        description="Minutes after it was queued in which a run of a stage or of grading has to be finished.",
    )
    tell_graded: bool = Field(
        default=False, description="Tell by the channels of alerts of each graded batch too."
    )
    alert_email: str = Field(
        default="",
        description="Comma-separated receivers of alerts, sent through the connection smtp_default.",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token of /rankalpha/metrics; without one it is off."
    )
    openlineage: str = Field(
        default="",
        description="Where lineage events go: the URL of a server or the absolute path of a file.",
    )
    openlineage_key: SecretStr = Field(
        default=SecretStr(""), description="API key of the server that gets the lineage events."
    )
    ping_url: SecretUrl = Field(
        default=SecretStr(""), description="Asked after each graded batch; an outside monitor misses it."
    )

    @property
    def stage_queues(self) -> dict[str, str]:
        """Queues by the stages that have one of their own; SettingsError for a malformed pair."""
        pairs = [pair.partition("=") for pair in self.queues.replace(" ", "").split(",") if pair]
        if any(not (stage and queue) for stage, _, queue in pairs):
            raise SettingsError(f"RANKALPHA_QUEUES={self.queues!r}: expected STAGE=QUEUE,STAGE=QUEUE")
        return {stage: queue for stage, _, queue in pairs}

    @property
    def retry_wait(self) -> timedelta:
        """Wait before the first retry."""
        return timedelta(seconds=self.retry_delay)

    @property
    def max_retry_wait(self) -> timedelta:
        """Longest wait before a retry."""
        return timedelta(seconds=self.max_retry_delay)


class DeploymentSettings(Environment):
    """The deployment of the containers; each field is the environment variable RANKALPHA_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_", env_ignore_empty=True, frozen=True)

    bind: str = Field(default="127.0.0.1", description="Address of the machine that the ports are bound to.")


class StackSettings(Environment):
    """The embedded stack's folder and ports; each field is the environment variable RANKALPHA_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_", env_ignore_empty=True, frozen=True)

    env: str = Field(default="local", description="Profile, see Settings.")
    state_dir: Path = Field(
        default=Path(".rankalpha"), description="Folder of all state, below the checkout if relative."
    )
    airflow_port: int = Field(default=8080, gt=0, lt=65536, description="Port of Airflow's UI and API.")
    api_port: int = Field(default=6080, gt=0, lt=65536, description="Port of the reference API.")
    frontend_port: int = Field(default=3000, gt=0, lt=65536, description="Port of the ranking page.")


class LogSettings(Environment):
    """Airflow's own setting of the logs, for the processes that are none of Airflow's."""

    model_config = SettingsConfigDict(env_prefix="AIRFLOW__LOGGING__", env_ignore_empty=True, frozen=True)

    json_logs: bool = Field(default=False, description="One JSON line an event instead of text.")


class AdminSettings(Environment):
    """Airflow's first user; each field is the environment variable RANKALPHA_ADMIN_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_ADMIN_", env_ignore_empty=True, frozen=True)

    user: str = Field(default="rankalpha", description="Name of the admin user.")
    password: SecretStr = Field(
        default=SecretStr("rankalpha"), description="Password; only `local` may keep the default."
    )


class ProxySettings(Environment):
    """The Docker proxy; each field is the environment variable RANKALPHA_PROXY_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_PROXY_", env_ignore_empty=True, frozen=True)

    socket: Path = Field(default=Path("/var/run/docker.sock"), description="Socket of the Docker engine.")
    host: str = Field(
        default="127.0.0.1", description="Address it listens on; there must be none but Airflow's."
    )
    port: int = Field(default=2375, gt=0, lt=65536, description="Port it listens on.")


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings.load()
