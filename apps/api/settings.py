"""Settings of the grading API: the only reader of its environment variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from apps.common.logs import LogFormat
from apps.common.settings import Environment, Port


class Settings(Environment):
    """Where the API listens, where its data are, and how much sentiment counts."""

    model_config = SettingsConfigDict(env_prefix="API_")

    data_dir: Path = Field(default=Path("/data"), validation_alias="RANKALPHA_DATA_DIR")
    host: str = "127.0.0.1"  # 0.0.0.0 in a container
    port: Port = 6080
    sentiment_weight: float = Field(
        default=0.2,
        ge=0,
        le=1,
        validation_alias="GRADING_SENTIMENT_WEIGHT",
        description="Share of sentiment in the composite; the score has the rest.",
    )
    log_format: LogFormat = Field(default="text", validation_alias="LOG_FORMAT")
    markets: Path | None = Field(
        default=None,
        validation_alias="RANKALPHA_MARKETS",
        description="The file that lists the markets; without one each name is taken for a market.",
    )
