"""Settings of the scorer stage: the only reader of its environment variables."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from apps.common.settings import Environment, Flag


class Settings(Environment):
    """Which symbols are scored."""

    model_config = SettingsConfigDict(env_prefix="SCORER_")

    stale_sessions: int = Field(
        default=5,
        ge=0,
        le=36525,
        description="Sessions that a symbol's last price may lie behind the newest of all.",
    )
    stale_days: int = Field(
        default=10,
        ge=0,
        le=36525,
        description="The same in days, for a market without a calendar.",
    )
    model: str = Field(
        default="",
        description="Model to score by: `champion`, or the batch that it was trained on; empty: the formula.",
    )
    sector_neutral: Flag = Field(
        default=False,
        description="Whether symbols are ranked within their sector of universe.csv, not among all.",
    )
