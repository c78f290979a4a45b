"""What the orchestration runs with: profile, markets and addresses, and the settings of all its parts."""

from functools import cache
from pathlib import Path

from pydantic import Field

from rankalpha.settings.environment import Url
from rankalpha.settings.maintenance import KeepSettings
from rankalpha.settings.monitoring import ReportSettings, WatchdogSettings
from rankalpha.settings.stages import RunnerSettings, RunSettings


class Settings(ReportSettings, WatchdogSettings, KeepSettings, RunSettings, RunnerSettings):
    """Each field is the environment variable RANKALPHA_<FIELD>."""

    env: str = Field(default="local", description="Profile: the folder of env/ that configures the stages.")
    env_dir: Path = Field(
        default=Path("/opt/rankalpha/env"),
        description="Folder of the profiles: <env_dir>/<profile>/<stage>.env.",
    )
    markets: Path = Field(
        default=Path("/opt/rankalpha/datasets/markets.toml"),
        description="File of the markets; each of its tables has a pipeline of its own.",
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


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings.load()
