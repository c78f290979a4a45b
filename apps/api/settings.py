"""Settings of the grading API: the only reader of its environment variables."""

import os
from dataclasses import dataclass
from pathlib import Path

from apps.common.logs import log_format
from apps.common.stage import BadConfig


@dataclass(frozen=True)
class Settings:
    """Where the API listens, where its data are, and how much sentiment counts."""

    data_dir: Path
    host: str = "127.0.0.1"  # 0.0.0.0 in a container
    port: int = 6080
    sentiment_weight: float = 0.2  # share of sentiment in the composite, 0..1; the score has the rest
    log_format: str = "text"  # or json
    markets: Path | None = None  # the file that lists them; none: each name is taken for a market

    @classmethod
    def from_env(cls) -> "Settings":
        """Read and check every variable. Raises BadConfig naming the key, its value and what is allowed."""
        markets = os.environ.get("RANKALPHA_MARKETS")
        return cls(
            data_dir=Path(os.environ.get("RANKALPHA_DATA_DIR") or "/data"),
            host=os.environ.get("API_HOST") or cls.host,
            port=int(number("API_PORT", cls.port, 1, 65535, whole=True)),
            sentiment_weight=number("GRADING_SENTIMENT_WEIGHT", cls.sentiment_weight, 0, 1),
            log_format=log_format("LOG_FORMAT"),
            markets=Path(markets) if markets else None,
        )


def number(key: str, default: float, minimum: float, maximum: float, *, whole: bool = False) -> float:
    """Return a variable that is a number (a whole one on request) between both bounds, or `default`."""
    value = os.environ.get(key, "").strip() or str(default)
    try:
        parsed: float = int(value) if whole else float(value)
    except ValueError:
        parsed = float("nan")
    if not minimum <= parsed <= maximum:
        kind = "whole numbers" if whole else "numbers"
        raise BadConfig(f"{key}={value!r}: allowed are {kind} from {minimum} to {maximum}")
    return parsed
