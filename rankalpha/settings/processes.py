"""Settings of single processes: deployment, embedded stack, logs, first user and Docker proxy."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from rankalpha.settings.environment import Environment


class DeploymentSettings(Environment):
    """The deployment of the containers; each field is the environment variable RANKALPHA_<FIELD>."""

    bind: str = Field(default="127.0.0.1", description="Address of this machine that the ports listen on.")


class StackSettings(Environment):
    """The embedded stack's folder and ports; each field is the environment variable RANKALPHA_<FIELD>."""

    env: str = Field(default="local", description="Profile, see Settings.")
    state_dir: Path = Field(
        default=Path(".rankalpha"), description="Folder of all state, below the checkout if relative."
    )
    airflow_port: int = Field(default=8080, gt=0, lt=65536, description="Port of Airflow's UI and API.")
    api_port: int = Field(default=6080, gt=0, lt=65536, description="Port of the reference API.")
    frontend_port: int = Field(default=3000, gt=0, lt=65536, description="Port of the ranking page.")


class LogSettings(Environment):
    """Airflow's own setting of the logs, for processes that do not belong to Airflow."""

    model_config = SettingsConfigDict(env_prefix="AIRFLOW__LOGGING__")

    json_logs: bool = Field(default=False, description="One JSON line for each event instead of text.")


class AdminSettings(Environment):
    """Airflow's first user; each field is the environment variable RANKALPHA_ADMIN_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_ADMIN_")

    user: str = Field(default="rankalpha", description="Name of the admin user.")
    password: SecretStr = Field(
        default=SecretStr("rankalpha"), description="Password; only `local` may keep the default."
    )


class ProxySettings(Environment):
    """The Docker proxy; each field is the environment variable RANKALPHA_PROXY_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_PROXY_")

    socket: Path = Field(default=Path("/var/run/docker.sock"), description="Socket of the Docker engine.")
    host: str = Field(
        default="127.0.0.1", description="Address it listens on; only Airflow may reach its network."
    )
    port: int = Field(default=2375, gt=0, lt=65536, description="Port it listens on.")
