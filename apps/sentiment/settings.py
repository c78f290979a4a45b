"""Settings of the sentiment stage: the only reader of its environment variables."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from apps.common.settings import Address, Flag, PatientEnvironment
from apps.sentiment.spending import Budget

RSS_URL = "https://feeds.finance.yahoo.com/rss/2.0/headline?s={symbol}&region=US&lang=en-US"
MANY = 1_000_000_000


class ChatSettings(PatientEnvironment):
    """An OpenAI-compatible chat completions API, and what a batch may spend on it.

    Each field is the environment variable OPENAI_<FIELD>, unless it names another one. Prices are in dollars
    for a million tokens; a budget of 0 has no bound.
    """

    model_config = SettingsConfigDict(env_prefix="OPENAI_")

    api_key: SecretStr = SecretStr("")
    base_url: Address = "https://api.openai.com/v1"
    model: str = "gpt-4.1-mini"
    input_price: float = Field(default=0, ge=0, allow_inf_nan=False)
    output_price: float = Field(default=0, ge=0, allow_inf_nan=False)
    budget_tokens: int = Field(default=0, ge=0, le=10**12, validation_alias="SENTIMENT_BUDGET_TOKENS")
    budget_dollars: float = Field(
        default=0, ge=0, allow_inf_nan=False, validation_alias="SENTIMENT_BUDGET_DOLLARS"
    )

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if not (key.isascii() and key.isprintable()) or " " in key:
            # An HTTP library would print such a header, and with it the key, in its error.
            raise ValueError("it holds blanks or characters outside ASCII; set the bare key")
        return value

    @model_validator(mode="after")
    def _dollars_have_prices(self) -> Self:
        if self.budget_dollars and not (self.input_price or self.output_price):
            raise ValueError(
                f"SENTIMENT_BUDGET_DOLLARS={self.budget_dollars:g} needs prices: set OPENAI_INPUT_PRICE and "
                "OPENAI_OUTPUT_PRICE, dollars for a million tokens"
            )
        return self

    @classmethod
    def if_keyed(cls) -> Self | None:
        """Read and check every variable; None when no key is set, because then the others do not matter."""
        return cls.from_env() if os.environ.get("OPENAI_API_KEY", "").strip() else None

    @property
    def budget(self) -> Budget:
        """What a batch may spend."""
        return Budget(self.budget_tokens, self.budget_dollars, self.input_price, self.output_price)


class Settings(PatientEnvironment):
    """What one run of the stage does; each field is the environment variable SENTIMENT_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="SENTIMENT_")

    use_consensus: Flag = True
    consensus_min_appearances: int = Field(default=2, ge=1, le=MANY)
    consensus_min_styles: int = Field(default=1, ge=1, le=MANY)
    consensus_limit: int = Field(default=10, ge=1, le=MANY)
    consensus_batch_only: Flag = True
    interval_seconds: int = Field(default=3600, ge=1, le=366 * 86400)
    skip_if_within_days: int = Field(default=0, ge=0, le=36500)
    data_dir: Path = Field(
        default=Path("/data"), validation_alias=AliasChoices("SENTIMENT_DATA_DIR", "RANKALPHA_DATA_DIR")
    )
    headlines: Literal["sample", "rss", "none"] = "sample"
    rss_url: Address = RSS_URL
    headlines_max_age_days: int = Field(default=7, ge=1, le=36500)
    in_flight: int = Field(default=4, ge=1, le=64)
    _chat: ChatSettings | None = PrivateAttr(default_factory=ChatSettings.if_keyed)

    @field_validator("rss_url")
    @classmethod
    def _names_the_symbol(cls, value: str) -> str:
        if "{symbol}" not in value:
            raise ValueError("the address must hold {symbol}")
        return value

    @property
    def chat(self) -> ChatSettings | None:
        """The chat model's settings; None when no key is set, so that VADER rates the headlines."""
        return self._chat
