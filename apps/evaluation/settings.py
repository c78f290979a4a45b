"""Settings of the evaluation stage: the only reader of its environment variables.

It reads those of the scorer too, because the backtest leaves out the symbols that the scorer leaves out.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from apps.common.settings import Environment


class Settings(Environment):
    """How often the backtest grades."""

    model_config = SettingsConfigDict(env_prefix="EVALUATION_")

    every: int = Field(
        default=21,
        ge=1,
        le=252,
        description="Sessions between two gradings of the backtest.",
    )
