"""Settings of the trainer stage: the only reader of its environment variables.

It reads those of the scorer too, because a model learns from the symbols that the scorer scores.
"""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from apps.common.settings import Environment


class Settings(Environment):
    """What a model foretells."""

    model_config = SettingsConfigDict(env_prefix="TRAINER_")

    horizon: int = Field(
        default=21,
        ge=1,
        le=252,
        description="Sessions of the return that a model foretells, and between two days it learns from.",
    )
    seed: int = Field(
        default=1, ge=0, le=2**32 - 1, description="Seed of the shuffles that a model is compared with."
    )
