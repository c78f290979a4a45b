"""The work of the scorer stage: prices.parquet in, scores.parquet out."""

import logging

import polars as pl

from apps.common.files import checksum
from apps.common.lateness import DATED, dated, is_recent
from apps.common.parquet import write_parquet
from apps.common.run import Result
from apps.common.stage import BadData, Batch
from apps.common.versions import input_of
from apps.scorer.chosen import chosen
from apps.scorer.features import FEATURES
from apps.scorer.prices import read_signals
from apps.scorer.ranking import SCORES, ranked
from apps.scorer.settings import Settings
from apps.scorer.universe import members

SHOWN = 5  # symbols that the log names of each kind

log = logging.getLogger("scorer")


def score(batch: Batch) -> Result:
    """Write scores.parquet from prices.parquet: symbol, momentum, value, quality, score (0..100) and as_of.

    Each row has the last_day of the symbol's prices, the sessions_behind from it to as_of, and the raw
    signals: momentum_signal and so on. Symbols with a stale last price or too little history for any score
    are left out and counted, as are those that universe.csv lists but not for that day. Nothing depends on
    the batch's time, so that the same prices have the same scores.
    Raises BadConfig, or BadData when no symbol can be scored.
    """
    settings = Settings.from_env()
    version = input_of(batch, "prices", "prices")
    prices = version.file("prices.parquet")
    dated_signals = dated(read_signals(prices), batch.calendar)
    as_of = dated_signals.select(pl.col("as_of").first()).item()
    signals = members(version, dated_signals, as_of, settings.sector_neutral)
    _name("left out, outside the universe", _gone(dated_signals, signals))
    current = signals.filter(is_recent(settings.stale_sessions, settings.stale_days))
    model = chosen(batch, current) if settings.model else None
    found = ranked(current)
    found = model.scored(found, current) if model else found
    scores = found.join(_kept(current), on="symbol", maintain_order="left")
    late = scores.filter(pl.coalesce(pl.col("sessions_behind") > 0, pl.col("last_day") < as_of))
    _name("left out, stale", _gone(signals, current))
    _name("left out, without enough history", _gone(current, scores))
    _name("scored by older prices", late["symbol"])
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
            "left_out": current.height - scores.height,
            "stale": signals.height - current.height,
            "behind": late.height,
            "complete": scores.drop_nulls(SCORES).height,
            **({"outside": outside} if (outside := dated_signals.height - signals.height) else {}),
            **(model.details if model else {}),
            "min_score": scores.select(pl.col("score").min()).item(),
            "max_score": scores.select(pl.col("score").max()).item(),
        },
    )


def _kept(current: pl.DataFrame) -> pl.DataFrame:
    """Return what scores.parquet has beside the scores: days, raw signals, and `peers` if there are any."""
    peers = [name for name in current.columns if name == "peers"]
    return current.select(
        "symbol", *DATED, *peers, *(pl.col(name).alias(f"{name}_signal") for name in FEATURES)
    )


def _gone(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """Return the symbols of `before` that are not in `after`."""
    return before.join(after, on="symbol", how="anti")["symbol"].sort()


def _name(what: str, symbols: pl.Series) -> None:
    """Log how many symbols there are, if any, and the first few."""
    if len(symbols):
        more = ", ..." if len(symbols) > SHOWN else ""
        log.info("%s (%d): %s%s", what, len(symbols), ", ".join(symbols.head(SHOWN)), more)
