"""Settings of the sentiment stage: the only reader of its environment variables.

An empty variable counts as unset, because env files like to carry `OPENAI_API_KEY=` as a reminder.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from apps.common.stage import BadConfig
from apps.common.transient import Patience
from apps.sentiment.fetch import shown
from apps.sentiment.spending import Budget

HEADLINE_SOURCES = ("sample", "rss")
RSS_URL = "https://feeds.finance.yahoo.com/rss/2.0/headline?s={symbol}&region=US&lang=en-US"


@dataclass(frozen=True)
class ChatSettings:
    """An OpenAI-compatible chat completions API."""

    api_key: str = field(repr=False)
    base_url: str  # without the trailing slash, such as https://api.openai.com/v1
    model: str
    budget: Budget
    patience: Patience

    @classmethod
    def from_env(cls) -> "ChatSettings | None":
        """Read the OPENAI_* variables; None when no key is set, so that VADER is used."""
        key = text("OPENAI_API_KEY", "")
        if not key:
            return None
        if not (key.isascii() and key.isprintable()) or " " in key:
            # An HTTP library would print such a header, and with it the key, in its error.
            raise BadConfig("OPENAI_API_KEY holds blanks or characters outside ASCII; set the bare key")
        return cls(
            api_key=key,
            base_url=url("OPENAI_BASE_URL", "https://api.openai.com/v1").rstrip("/"),
            model=text("OPENAI_MODEL", "gpt-4.1-mini"),
            budget=budget(),
            patience=Patience.from_env("OPENAI"),
        )


@dataclass(frozen=True)
class Settings:
    """What one run of the stage does; each field's variable and default stand in `from_env`."""

    use_consensus: bool
    min_appearances: int
    min_styles: int
    limit: int
    batch_only: bool
    interval_seconds: int
    skip_if_within_days: int
    data_dir: Path
    headlines: str
    rss_url: str
    max_age_days: int
    in_flight: int
    patience: Patience  # with the headlines' source
    chat: ChatSettings | None

    @classmethod
    def from_env(cls) -> "Settings":
        """Read and check every variable. Raises BadConfig naming the key, its value and what is allowed."""
        return cls(
            use_consensus=flag("SENTIMENT_USE_CONSENSUS", True),
            min_appearances=number("SENTIMENT_CONSENSUS_MIN_APPEARANCES", 2, minimum=1),
            min_styles=number("SENTIMENT_CONSENSUS_MIN_STYLES", 1, minimum=1),
            limit=number("SENTIMENT_CONSENSUS_LIMIT", 10, minimum=1),
            batch_only=flag("SENTIMENT_CONSENSUS_BATCH_ONLY", True),
            interval_seconds=number("SENTIMENT_INTERVAL_SECONDS", 3600, minimum=1),
            skip_if_within_days=number("SENTIMENT_SKIP_IF_WITHIN_DAYS", 0, minimum=0),
            data_dir=Path(text("SENTIMENT_DATA_DIR", text("RANKALPHA_DATA_DIR", "/data"))),
            headlines=choice("SENTIMENT_HEADLINES", HEADLINE_SOURCES),
            rss_url=rss_template("SENTIMENT_RSS_URL", RSS_URL),
            max_age_days=number("SENTIMENT_HEADLINES_MAX_AGE_DAYS", 7, minimum=1, maximum=36500),
            in_flight=number("SENTIMENT_IN_FLIGHT", 4, minimum=1, maximum=64),
            patience=Patience.from_env("SENTIMENT"),
            chat=ChatSettings.from_env(),
        )


def text(key: str, default: str) -> str:
    """Return the variable without surrounding blanks, or `default` when it is unset or empty."""
    return os.environ.get(key, "").strip() or default


def flag(key: str, default: bool) -> bool:
    """Return a variable that is `true` or `false` in any case."""
    value = text(key, str(default)).lower()
    if value not in ("true", "false"):
        raise BadConfig(f"{key}={value!r}: allowed are true and false")
    return value == "true"


def number(key: str, default: int, minimum: int, maximum: int = 10**12) -> int:
    """Return a variable that is a whole number from `minimum` to `maximum`."""
    value = text(key, str(default))
    digits = value.isascii() and value.isdigit() and len(value) <= len(str(maximum))
    if not digits or not minimum <= int(value) <= maximum:
        raise BadConfig(f"{key}={value!r}: allowed are whole numbers from {minimum} to {maximum}")
    return int(value)


def dollars(key: str) -> float:
    """Return a variable that is an amount of dollars, 0 by default."""
    value = text(key, "0")
    try:
        amount = float(value)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise BadConfig(f"{key}={value!r}: allowed are dollars from 0, such as 0.5")
    return amount


def budget() -> Budget:
    """Return what a batch may spend; BadConfig for a bound in dollars without a price."""
    found = Budget(
        tokens=number("SENTIMENT_BUDGET_TOKENS", 0, minimum=0),
        dollars=dollars("SENTIMENT_BUDGET_DOLLARS"),
        input_price=dollars("OPENAI_INPUT_PRICE"),
        output_price=dollars("OPENAI_OUTPUT_PRICE"),
    )
    if found.dollars and not (found.input_price or found.output_price):
        raise BadConfig(
            f"SENTIMENT_BUDGET_DOLLARS={found.dollars:g} needs prices: set OPENAI_INPUT_PRICE and "
            "OPENAI_OUTPUT_PRICE, dollars for a million tokens"
        )
    return found


def choice(key: str, allowed: tuple[str, ...]) -> str:
    """Return a variable that is one of `allowed`; the first is the default."""
    value = text(key, allowed[0])
    if value not in allowed:
        raise BadConfig(f"{key}={value!r}: allowed are {', '.join(allowed)}")
    return value


def url(key: str, default: str) -> str:
    """Return a variable that is an http or https address."""
    value = text(key, default)
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is no number
        good = False
    if not good:
        raise BadConfig(f"{key}={shown(value)!r}: allowed are http:// and https:// addresses")
    return value


def rss_template(key: str, default: str) -> str:
    """Return a variable that is an address with {symbol} where the symbol goes."""
    value = url(key, default)
    if "{symbol}" not in value:
        raise BadConfig(f"{key}={shown(value)!r}: the address must hold {{symbol}}")
    return value
