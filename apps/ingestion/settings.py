"""The ingestion stage's settings; this module alone reads them from the environment.

INGESTION_SOURCE: sample (default), csv or yahoo.
INGESTION_SYMBOLS: comma list; default: all of the sample or of the CSV folder; yahoo needs it.
INGESTION_START: first day asked of yahoo for a symbol without history; default: ten years back.
INGESTION_CSV_DIR: folder with one <SYMBOL>.csv a symbol, columns date,close; csv needs it.
INGESTION_KEEP_BATCHES: newest batches that are kept, by all services, default 30; 0 keeps all.
SCREENER_TOP: symbols that each screen lists, default 8.
"""

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from apps.common.stage import BadConfig

SOURCES = ("sample", "csv", "yahoo")
SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=-]{0,19}")  # as Yahoo spells them: BRK-B, ^GSPC, SAP.DE, EURUSD=X


@dataclass(frozen=True)
class Settings:
    """Validated settings; no `symbols` means all that the source has, no `start` ten years back."""

    source: str = "sample"
    symbols: tuple[str, ...] = ()
    start: date | None = None
    csv_dir: Path | None = None
    keep_batches: int = 30
    screener_top: int = 8

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment; raise BadConfig naming key, value and what is allowed."""
        source = os.environ.get("INGESTION_SOURCE") or cls.source
        if source not in SOURCES:
            raise BadConfig(f"INGESTION_SOURCE={source!r} is unknown: use one of {', '.join(SOURCES)}")
        folder = os.environ.get("INGESTION_CSV_DIR")
        return cls(
            source=source,
            symbols=_symbols("INGESTION_SYMBOLS"),
            start=_day("INGESTION_START"),
            csv_dir=Path(folder) if folder else None,
            keep_batches=_whole("INGESTION_KEEP_BATCHES", cls.keep_batches, least=0),
            screener_top=_whole("SCREENER_TOP", cls.screener_top, least=1),
        )


def _symbols(key: str) -> tuple[str, ...]:
    names = [name.strip().upper() for name in os.environ.get(key, "").split(",") if name.strip()]
    for name in names:
        if not SYMBOL.fullmatch(name):
            raise BadConfig(f"{key}: {name!r} is no symbol: use a comma list such as AAPL,BRK-B")
    return tuple(sorted(set(names)))


def _day(key: str) -> date | None:
    text = os.environ.get(key)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadConfig(f"{key}={text!r} is no date: write it like 2016-01-31") from error


def _whole(key: str, default: int, least: int) -> int:
    text = os.environ.get(key) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise BadConfig(f"{key}={text!r} must be a whole number of {least} or more")
    return int(text)
