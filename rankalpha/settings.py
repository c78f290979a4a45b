"""Settings of the orchestration itself; only this module reads them from the environment.

They can be read while a DAG file is parsed, because they need no database and no API. The settings of a
*stage* (image, limits, keys of its env file) are looked up when its task runs, see
`rankalpha.stages.profile`.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rankalpha.usable import engine_problem, text_problem, url_problem

# no setting needs more, and longer times overflow in Airflow, PostgreSQL and Python's dates
A_YEAR = timedelta(days=366)
SECONDS, MINUTES, HOURS = (A_YEAR // timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
A_CENTURY = 36525  # days
MOST_SLOTS = 2**31 - 1  # of a pool, in Airflow's database
MOST_RETRIES = 1000


class SettingsError(Exception):
    """A setting is missing or not valid; the message names the key, its value and what is expected."""


def _checked(problem_of: Callable[[Any], str]) -> AfterValidator:
    def check(value: Any) -> Any:
        if problem := problem_of(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


Url = Annotated[str, _checked(url_problem)]
SecretUrl = Annotated[SecretStr, _checked(lambda url: url and url_problem(url.get_secret_value()))]
OptionalUrl = Annotated[str, _checked(lambda url: url and url_problem(url))]
EngineUrl = Annotated[str, _checked(engine_problem)]


class Environment(BaseSettings):
    """Settings from environment variables, whose names are the class's prefix and the field's name."""

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
                f"{cls._shown(str(mistake['loc'][0]), mistake['input'])}: "
                f"{mistake['msg'].removeprefix('Value error, ')}"
                for mistake in error.errors()
            )
            raise SettingsError("; ".join(problems)) from error

    @classmethod
    def _shown(cls, name: str, value: Any) -> str:
        key = f"{cls.model_config['env_prefix']}{name.upper()}"
        return key if cls.model_fields[name].annotation is SecretStr else f"{key}={value!r}"


class Settings(Environment):
    """Each field is the environment variable RANKALPHA_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_", env_ignore_empty=True, frozen=True)

    env: str = Field(default="local", description="Profile: the folder of env/ that configures the stages.")
    env_dir: Path = Field(
        default=Path("/opt/rankalpha/env"),
        description="Folder of the profiles: <env_dir>/<profile>/<stage>.env.",
    )
    markets: Path = Field(
        default=Path("/opt/rankalpha/datasets/markets.toml"),
        description="File of the markets; each of its tables has a pipeline of its own.",
    )
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
        description="Days that Airflow's database keeps runs and its audit log; 0: for ever.",
    )
    keep_unpublished_days: int = Field(
        default=7,
        ge=1,
        le=A_CENTURY,
        description="Days that versions are kept which no event names any more, or ever did.",
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
    watch_days: float = Field(
        default=3, gt=0, le=A_CENTURY, description="Days that the watchdog looks back for batches."
    )
    graded_within: int = Field(
        default=45,
        gt=0,
        le=MINUTES,
        description="Minutes after its start within which a batch must be graded.",
    )
    started_within: int = Field(
        default=15,
        gt=0,
        le=MINUTES,
        description="Minutes after 06:00 UTC within which the day's batch must have begun.",
    )
    finished_within: float = Field(
        default=30,
        gt=0,
        le=MINUTES,
        description="Minutes after it was queued within which a run of a stage or of grading must finish.",
    )
    tell_graded: bool = Field(
        default=False, description="Report each graded batch too, through the channels of alerts."
    )
    alert_email: str = Field(
        default="",
        description="Comma-separated receivers of alerts, sent through the connection smtp_default.",
    )
    runbook_url: OptionalUrl = Field(
        default="",
        description="Address of the runbook that alerts link to; by default its path in the checkout.",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token of /rankalpha/metrics, which is off without a token."
    )
    openlineage: str = Field(
        default="",
        description="Where lineage events go: the URL of a server, or the absolute path of a file.",
    )
    openlineage_key: SecretStr = Field(
        default=SecretStr(""), description="API key of the server that receives the lineage events."
    )
    ping_url: SecretUrl = Field(
        default=SecretStr(""),
        description="URL called after each graded batch; an outside monitor notices its absence.",
    )

    @property
    def stage_queues(self) -> dict[str, str]:
        """The queues of the stages that have their own, by stage; SettingsError for a malformed pair."""
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

    bind: str = Field(default="127.0.0.1", description="Address of this machine that the ports listen on.")


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
    """Airflow's own setting of the logs, for processes that do not belong to Airflow."""

    model_config = SettingsConfigDict(env_prefix="AIRFLOW__LOGGING__", env_ignore_empty=True, frozen=True)

    json_logs: bool = Field(default=False, description="One JSON line for each event instead of text.")


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
        default="127.0.0.1", description="Address it listens on; only Airflow may reach its network."
    )
    port: int = Field(default=2375, gt=0, lt=65536, description="Port it listens on.")


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings.load()
