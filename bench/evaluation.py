"""Part `evaluation`: the evaluation stage as a process of its own.

On the whole sample, and on 5,000 symbols of ten years with a year of gradings on record.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from apps.api.grading import letter
from apps.api.records import Grade, Grades, write_grades
from apps.common.exchange import exchange
from apps.common.parquet import write_parquet
from apps.evaluation.record import SCHEMA
from apps.ingestion.sources.sample import SampleSource
from bench.report import Figure, say
from tests.support.checkout import ROOT

RUNS = 3  # of the sample
SYMBOLS, DAYS, RECORDED = 5_000, 2_520, 250
BATCH, EARLIER = "2026-11-28T06:00:00", "2026-11-27T06:00:00"
WEEKEND = 5
UNITS = (("wall", "s"), ("CPU", "s"), ("peak memory", "MB"))


def measure() -> list[Figure]:
    """Evaluate the sample RUNS times, the 5,000 symbols once."""
    figures = []
    for name, prices, recorded, count in (
        ("the sample", _sample, 0, RUNS),
        (f"{SYMBOLS} symbols of ten years", _walks, RECORDED, 1),
    ):
        with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
            data = Path(folder)
            _fill(data, prices(), recorded)  # not kept: a process inherits the peak of its parent
            say(f"Evaluating {name}")
            runs = [_evaluate(data) for _ in range(count)]
        figures += [
            Figure.of(f"{name}, {what}", unit, [run[i] for run in runs])
            for i, (what, unit) in enumerate(UNITS)
        ]
    return figures


def _sample() -> pl.DataFrame:
    source = SampleSource([], datetime.fromisoformat(BATCH).replace(tzinfo=UTC), exchange("XNYS"))
    return source.fetch(source.symbols, {}).prices.sort("symbol", "date")


def _walks() -> pl.DataFrame:
    """Return a random walk for each symbol, on weekdays."""
    last = date(2026, 11, 27)
    days = [day for back in range(2 * DAYS) if (day := last - timedelta(days=back)).weekday() < WEEKEND][
        :DAYS
    ]
    chance = np.random.default_rng(1)
    closes = 100 * np.exp(np.cumsum(chance.normal(0, 0.02, (SYMBOLS, DAYS)), axis=1))
    return pl.DataFrame(
        {
            "symbol": np.repeat([f"S{number:04}" for number in range(SYMBOLS)], DAYS),
            "date": list(reversed(days)) * SYMBOLS,
            "close": closes.ravel(),
        }
    )


def _fill(data: Path, prices: pl.DataFrame, recorded: int) -> None:
    """Write prices, grades, and an earlier record of so many sessions."""
    write_parquet(data / "prices" / BATCH / "prices.parquet", prices)
    symbols, days = prices["symbol"].unique().sort(), prices["date"].unique().sort()
    grades = [
        Grade(
            symbol=symbol, rank=rank, grade=letter(rank, len(symbols)), composite=50, momentum=50, value=50,
            quality=50, score=50, sentiment=None, headlines=0, sparkline=[],
        )
        for rank, symbol in enumerate(symbols, start=1)
    ]  # fmt: skip
    made = Grades(batch=BATCH, as_of=days[-1], sentiment_weight=0.2, grades=grades, ungraded=[])
    write_grades(data / "grades" / f"{BATCH}.json", made)
    if recorded:
        write_parquet(
            data / "evaluations" / EARLIER / "record.parquet",
            pl.concat([_graded(symbols, day, seed) for seed, day in enumerate(days[-recorded - 1 : -1])]),
        )


def _graded(symbols: pl.Series, day: date, seed: int) -> pl.DataFrame:
    figures = np.random.default_rng(seed).uniform(0, 100, (len(symbols), 6))
    ranks = (-figures[:, 0]).argsort().argsort() + 1
    letters = [letter(int(rank), len(symbols)) for rank in ranks]
    about = {"session": day, "batch": f"{day}T22:00:00", "version": ""}
    frame = pl.DataFrame({"symbol": symbols, "rank": ranks, "letter": letters}).with_columns(
        *(pl.lit(value).alias(name) for name, value in about.items()),
        *(pl.Series(name, figures[:, column]) for column, name in enumerate(list(SCHEMA)[6:])),
    )
    return frame.select(list(SCHEMA)).cast(dict(SCHEMA))


def _evaluate(data: Path) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak MB of the stage."""
    own = {"RANKALPHA_BATCH": BATCH, "RANKALPHA_DATA_DIR": str(data), "RANKALPHA_CALENDAR": "XNYS"}
    own |= {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(data)}
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "apps/evaluation/main.py"], cwd=ROOT, env=own, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the stage has failed with {process.returncode}, see above")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
