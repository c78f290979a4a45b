"""The work of the scorer stage: prices.parquet in, scores.parquet out."""

import logging
from datetime import timedelta

import polars as pl

from apps.common.files import checksum
from apps.common.parquet import write_parquet
from apps.common.run import Result
from apps.common.stage import BadData, Batch
from apps.common.versions import input_of
from apps.scorer.prices import read_signals
from apps.scorer.ranking import ranked
from apps.scorer.settings import Settings

log = logging.getLogger("scorer")


def score(batch: Batch) -> Result:
    """Write scores.parquet from prices.parquet: symbol, momentum, value, quality, score (0..100) and as_of.

    Symbols with a stale last price or too little history for any score are left out and counted.
    Raises BadConfig, or BadData when no symbol can be scored.
    """
    most_stale = timedelta(days=Settings.from_env().stale_days)
    prices = input_of(batch, "prices", "prices").file("prices.parquet")
    signals = read_signals(prices)
    as_of = signals.select(pl.col("last_day").max()).item()
    current = signals.filter(pl.col("last_day") >= as_of - most_stale)
    scores = ranked(current).with_columns(as_of=pl.lit(as_of, dtype=pl.Date))
    stale, left_out = signals.height - current.height, current.height - scores.height
    _name("stale", signals, current)
    _name("without enough history", current, scores)
    if scores.is_empty():
        raise BadData(
            f"{prices}: no symbol has the 252 days that a score needs; "
            "let the ingestion stage load more history"
        )
    output = batch.target("prices") / "scores.parquet"
    write_parquet(output, scores)
    return Result(
        rows=scores.height,
        symbols=scores.height,
        as_of=as_of,
        checksum=checksum(output),
        outputs=[batch.shown(output)],
        details={
            "left_out": left_out,
            "stale": stale,
            "complete": scores.drop_nulls().height,
            "min_score": scores.select(pl.col("score").min()).item(),
            "max_score": scores.select(pl.col("score").max()).item(),
        },
    )


def _name(reason: str, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Log how many symbols of `before` are not in `after`, and the first few."""
    gone = before.join(after, on="symbol", how="anti")["symbol"].sort()
    if len(gone):
        more = ", ..." if len(gone) > len(gone.head(5)) else ""
        log.info("left out, %s (%d): %s%s", reason, len(gone), ", ".join(gone.head(5)), more)
