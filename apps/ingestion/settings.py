"""The ingestion stage's settings; this module alone reads them from the environment.

INGESTION_SOURCE: sample (default), csv or yahoo.
INGESTION_SYMBOLS: comma list; default: all of the sample or of the CSV folder; yahoo needs it.
INGESTION_START: first day asked of yahoo for a symbol without history; default: ten years back.
INGESTION_CSV_DIR: folder with one <SYMBOL>.csv a symbol, columns date,close; default: <data root>/prices/csv.
INGESTION_OVERLAP: newest known sessions that are asked for again, default 10.
INGESTION_JUMP: a close is reported when it is so many times the one before, or as small a part, default 1.8.
INGESTION_REPLACE: comma list of symbols whose history is taken as the source has it, even if it is shorter.
INGESTION_TIMEOUT_SECONDS, INGESTION_ATTEMPTS, INGESTION_LONGEST_WAIT_SECONDS: see apps/common/transient.py.
INGESTION_KEEP_BATCHES: newest batches that are kept, by all services, default 30; 0 keeps all.
SCREENER_TOP: symbols that each screen lists, default 8.
"""

import math
import os
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from apps.common.stage import BadConfig
from apps.common.transient import Patience

SOURCES = ("sample", "csv", "yahoo")
# As Yahoo spells them: BRK-B, ^GSPC, M&M.NS, 0700.HK, EURUSD=X, NIFTY_FIN_SERVICE.NS
SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=&_@$+!~-]{0,39}")


@dataclass(frozen=True)
class Settings:
    """Validated settings; no `symbols` means all that the source has, no `start` ten years back."""

    source: str = "sample"
    symbols: tuple[str, ...] = ()
    start: date | None = None
    csv_dir: Path | None = None
    overlap: int = 10
    jump: float = 1.8
    replace: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience)
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
            overlap=_whole("INGESTION_OVERLAP", cls.overlap, least=1),
            jump=_factor("INGESTION_JUMP", cls.jump),
            replace=_symbols("INGESTION_REPLACE"),
            patience=Patience.from_env("INGESTION"),
            keep_batches=_whole("INGESTION_KEEP_BATCHES", cls.keep_batches, least=0),
            screener_top=_whole("SCREENER_TOP", cls.screener_top, least=1),
        )


def _symbols(key: str) -> tuple[str, ...]:
    names = [name.strip().upper() for name in os.environ.get(key, "").split(",") if name.strip()]
    for name in names:
        if not SYMBOL.fullmatch(name):
            raise BadConfig(f"{key}: {name[:40]!r} is not a symbol; expected a comma list such as AAPL,BRK-B")
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


def _factor(key: str, default: float) -> float:
    text = os.environ.get(key) or str(default)
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1 < factor < math.inf:
        raise BadConfig(f"{key}={text!r}: expected a number above 1, such as 1.8")
    return factor
