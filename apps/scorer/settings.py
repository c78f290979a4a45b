"""Settings of the scorer stage: the only reader of its environment variables."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from apps.common.settings import Environment


class Settings(Environment):
    """Which symbols are scored."""

    model_config = SettingsConfigDict(env_prefix="SCORER_")

    stale_days: int = Field(
        default=10,
        ge=0,
        le=36525,
        description="Days that a symbol's last price may lie before the newest of all.",
    )
