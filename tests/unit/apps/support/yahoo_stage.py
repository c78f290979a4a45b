"""The ingestion stage with the installed yfinance, which asks a local server that speaks Yahoo's protocol."""

from datetime import date
from pathlib import Path

import polars as pl

from tests.unit.apps.support.stage_process import Ended, result, run_stage
from tests.unit.apps.support.yahoo_server import Listing, Yahoo, weekdays

FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00" for day in (26, 27, 28))
DAYS = weekdays(date(2026, 6, 1), date(2026, 11, 27))


def ingest(data: Path, server: Yahoo, batch: str = FIRST, symbols: str = "", **settings: str) -> Ended:
    names = symbols or ",".join(sorted(server.listings))
    return run_stage("ingestion", data, batch, INGESTION_SYMBOLS=names, **server.settings, **settings)


def good(*args: object, **settings: object) -> dict:
    """Ingest, and return the result's details with its symbols and rows."""
    done = ingest(*args, **settings)
    assert done.returncode == 0, done.stderr
    got = result("ingestion", args[0], args[2] if len(args) > 2 else settings.get("batch", FIRST))
    return {**got["details"], "rows": got["rows"], "symbols": got["symbols"], "log": done.stdout}


def closes(data: Path, symbol: str, batch: str = FIRST) -> dict[date, float]:
    table = pl.read_parquet(data / "prices" / batch / "prices.parquet", glob=False)
    return dict(table.filter(pl.col("symbol") == symbol).select("date", "close").iter_rows())


def listing(start: float = 100.0, days: list[date] = DAYS, **changes: object) -> Listing:
    return Listing([(day, start + i / 8) for i, day in enumerate(days)], **changes)


def changed(listing: Listing, closes: dict[date, float | None]) -> Listing:
    return Listing(
        [(day, closes.get(day, close)) for day, close in listing.bars], listing.timezone, listing.dividends
    )
