"""Settings of the frontend: the only reader of its environment variables."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from apps.common.logs import LogFormat
from apps.common.settings import Address, Environment, Port


class Settings(Environment):
    """Where the frontend listens, and where the grading API is."""

    model_config = SettingsConfigDict(env_prefix="FRONTEND_")

    host: str = "127.0.0.1"  # 0.0.0.0 in a container
    port: Port = 3000
    api_url: Address = Field(default="http://127.0.0.1:6080", validation_alias="API_URL")
    log_format: LogFormat = Field(default="text", validation_alias="LOG_FORMAT")
