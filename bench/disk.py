"""Part `disk`: what 30 batches of 5,000 symbols by ten years take, each with a day more than its predecessor.

Each batch is written as a version with the functions of the ingestion stage. The same files in a folder of
the batch are what there was before versions. The blocks of files and folders are counted for each form apart;
in each, a file with several links counts once.
"""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from apps.common.manifest import MANIFEST, claimed, seal
from apps.common.parquet import write_parquet
from apps.ingestion.screens import appearances
from apps.ingestion.table import SCHEMA
from bench.report import Figure, say

BATCHES, SYMBOLS, DAYS = 30, 5_000, 2520
LAST = date(2026, 11, 20)
WEEKEND = 5
BLOCK = 512  # bytes, whatever the file system's own are
PUBLISHED = "disk of 30 batches, a plain copy of each being 1"


def measure() -> list[Figure]:
    """Write all batches, and compare both forms."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        plain, versions = Path(folder, "plain"), Path(folder, "versions")
        days = _days()
        prices = _prices(days)
        screened = _screened(prices)
        for number, day in enumerate(days[-BATCHES:], start=1):
            say(f"Writing batch {number} of {BATCHES}")
            known, batch = prices.filter(pl.col("date") <= day), f"{day}T06:00:00"
            path = f"prices/{batch}/ingestion-0a1b2c3d-1"
            with claimed(versions / path):
                write_parquet(versions / path / "prices.parquet", known)
                (versions / path / "appearances.json").write_text(screened)
                seal(versions / path, path, "ingestion", {})
            shutil.copytree(
                versions / path,
                plain / "prices" / batch,
                ignore=lambda *_: [MANIFEST],
                copy_function=os.link,  # counted as a copy, because the forms are counted apart
            )
        before, now = _disk(plain), _disk(versions)
    return [
        Figure.of(PUBLISHED, "times", [now / before]),
        Figure.of("disk of 30 batches", "GB", [now / 1e9]),
    ]


def _days() -> list[date]:
    """Return the days of the newest batch, oldest first."""
    before = (LAST - timedelta(days=back) for back in range(2 * DAYS))
    return [day for day in before if day.weekday() < WEEKEND][: DAYS + BATCHES - 1][::-1]


def _prices(days: list[date]) -> pl.DataFrame:
    """Return a random walk of each symbol, sorted."""
    walks = [list(_walk(random.Random(number), len(days))) for number in range(SYMBOLS)]
    names = [f"S{number:04}" for number in range(SYMBOLS)]
    table = pl.DataFrame({"symbol": names, "date": [days] * SYMBOLS, "close": walks})
    return table.explode("date", "close").cast(dict(SCHEMA))


def _walk(chance: random.Random, days: int) -> Iterator[float]:
    close = 100.0
    for _ in range(days):
        close *= 1 + chance.uniform(-0.02, 0.0203)
        yield round(close, 4)


def _screened(prices: pl.DataFrame) -> str:
    """Return the text of appearances.json, some kB that hardly differ from batch to batch."""
    as_of, listed = appearances(prices, 50)
    return json.dumps({"as_of": as_of.isoformat(), "appearances": listed}, indent=1) + "\n"


def _disk(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk."""
    there = [path.stat() for path in (folder, *folder.rglob("*"))]
    return sum(blocks for _, blocks in {(each.st_ino, each.st_blocks * BLOCK) for each in there})
