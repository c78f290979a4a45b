"""The record of grades: 5,000 symbols by 250 batches, asked by HTTP as the ranking page asks."""

import random
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl

from apps.api.grading import composite, letter
from apps.api.history.folder import folder_of, month_of, months
from apps.api.history.months import Month, Shown
from apps.api.history.rows import MOMENT, SCHEMA, SIGNALS
from apps.scorer.ranking import ranked
from bench.report import Figure, say
from tests.unit.apps.support.local_servers import service

SYMBOLS, BATCHES, DAYS = 5_000, 250, 2_520
LAST = date(2026, 11, 27)
RUNS = 20
WEEKEND = 5
ASKED = {
    "a symbol": "symbols/S0042",
    "a symbol's history": "symbols/S0042/history",
    "changes, the first 250": "changes",
    "changes, all": f"changes?limit={SYMBOLS}",
    "batches": "batches",
    "a batch as CSV": "export",
}


def measure() -> list[Figure]:
    """Fill a record, then ask it."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        data = Path(folder)
        say(f"Recording {BATCHES} batches of {SYMBOLS} symbols")
        seconds = _fill(data)
        size = sum(month.path.stat().st_size for month in months(data)) / 1e6
        _write_prices(data)
        with (
            service("api", data / "log", RANKALPHA_DATA_DIR=str(data)) as url,
            httpx.Client(base_url=f"{url}/api/v1/grading", trust_env=False) as http,
        ):
            asked = [_ask(http, name, path) for name, path in ASKED.items()]
    recorded = Figure.of("a batch is added to a month's file", "s", seconds)
    return [recorded, Figure.of("disk of the record", "MB", [size]), *asked]


def _ask(http: httpx.Client, name: str, path: str) -> Figure:
    """Ask once so that the server has loaded what it keeps, then measure."""
    values = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        http.get(path).raise_for_status()
        values.append((time.perf_counter() - start) * 1000)
    return Figure.of(name, "ms", values[1:])


def _fill(data: Path) -> list[float]:
    """Record the batches, oldest first; return the seconds of each."""
    days = [day for back in range(2 * BATCHES) if (day := LAST - timedelta(days=back)).weekday() < WEEKEND]
    chance, seconds = random.Random(0), []
    folder_of(data).mkdir(parents=True)
    (data / "grades").mkdir(exist_ok=True)
    for day in reversed(days[:BATCHES]):
        rows, shown = _graded(day, chance)
        start = time.perf_counter()
        month: Month = month_of(data, shown.batch)
        month.add([(shown, rows)])
        seconds.append(time.perf_counter() - start)
    return seconds


def _graded(day: date, chance: random.Random) -> tuple[pl.DataFrame, Shown]:
    """Return the rows of a batch of random signals, and the entry of its set."""
    batch, moment = f"{day}T06:00:00", datetime(day.year, day.month, day.day, 6, 5, tzinfo=UTC)
    raw = pl.DataFrame(
        {
            "symbol": [f"S{number:04}" for number in range(SYMBOLS)],
            **{name: [chance.gauss(0, 1) for _ in range(SYMBOLS)] for name in SIGNALS},
        }
    )
    named = raw.select("symbol", *(pl.col(name).alias(f"{name}_signal") for name in SIGNALS))
    rows = ranked(raw).join(named, on="symbol").with_columns(sentiment=pl.lit(0.1))
    rows = rows.with_columns(composite(0.2)).sort(["composite", "symbol"], descending=[True, False])
    letters = [letter(rank, rows.height) for rank in range(1, rows.height + 1)]
    about = {
        "batch": pl.lit(batch),
        "rank": pl.int_range(1, pl.len() + 1),
        "grade": pl.Series(letters),
        "close": pl.lit(100.0),
        "sentiment_weight": pl.lit(0.2),
        "as_of": pl.lit(day),
        "graded_at": pl.lit(moment).cast(MOMENT),
        "shown_at": pl.lit(moment).cast(MOMENT),
    }
    rows = rows.with_columns(**about)
    rows = rows.with_columns(**{name: pl.lit(None) for name in SCHEMA if name not in rows.columns})
    shown = Shown(
        batch=batch,
        shown_at=moment,
        as_of=day,
        graded_at=moment,
        symbols=rows.height,
        distribution={name: letters.count(name) for name in "ABCDF"},
        checksum=batch,
    )
    return rows.select(SCHEMA.names()).cast(dict(SCHEMA)), shown


def _write_prices(data: Path) -> None:
    """Write ten years of closes for the newest batch, which the chart of a symbol is drawn from."""
    days = pl.date_range(LAST - timedelta(days=DAYS - 1), LAST, eager=True)
    symbols = pl.DataFrame({"symbol": [f"S{number:04}" for number in range(SYMBOLS)]})
    table = symbols.join(pl.DataFrame({"date": days}), how="cross").with_row_index("row")
    closes = (100 + (pl.col("row").hash(0) % 10_000) / 1000).alias("close")
    path = data / "prices" / f"{LAST}T06:00:00" / "prices.parquet"
    path.parent.mkdir(parents=True)
    table.select("symbol", "date", closes).write_parquet(path, compression="zstd")
