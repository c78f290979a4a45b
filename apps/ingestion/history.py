"""How an answer joins the history that is known: nothing that is known is lost or damaged by it.

The newest known sessions are asked for again, and so is all since the oldest hole. Adjusted closes are
rescaled backwards by every dividend and split: when the oldest close that was asked for again has changed,
all before it may have changed too, and the whole history is fetched. It replaces what is known unless it
has fewer days.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from apps.ingestion.rescaling import Rescaled, Rescaling, compared_with, rescaling, same_close
from apps.ingestion.sessions import KEY
from apps.ingestion.sources import Fetched, Missing, Reason, Source

DAYS = (date(1800, 1, 1), date(2200, 1, 1))  # days outside come from a damaged file


class Merged(NamedTuple):
    """The histories of some symbols, sorted, and how they have changed."""

    prices: pl.DataFrame
    changed: pl.DataFrame  # symbol, date of rows that are new or differ
    revised: int  # days that were known, or lay between known days, of histories that were not rescaled
    rescaled: list[Rescaled]
    missing: dict[str, Missing]


def merge(
    source: Source,
    symbols: Sequence[str],
    known: pl.DataFrame,
    until: date,
    since: Mapping[str, date],
    replace: Collection[str] = (),
    idle: Collection[str] = (),
) -> Merged:
    """Return the histories of `symbols` up to the day `until`, from what is known and what the source has.

    `since` holds the first day to ask for of each known symbol. `replace`: symbols whose history is taken as
    the source has it, even if it is shorter. `idle`: symbols that are not asked for, because nothing can have
    been added. They, and symbols for which nothing comes, keep what is known.
    """
    usual = [symbol for symbol in symbols if symbol not in replace and symbol not in idle]
    fetched = _usable(source.fetch(usual, since), source, until) if usual else Fetched(known.clear())
    compared = compared_with(fetched.prices, known)
    suspects = _suspects(compared, known)
    first = dict(known.group_by("symbol").agg(pl.col("date").min()).iter_rows())
    again = sorted({*suspects, *set(symbols).intersection(replace)})
    fresh, missing, rescaled = fetched.prices, dict(fetched.missing), Rescaling({}, [])
    if again:
        whole = _usable(source.fetch(again, {s: first[s] for s in suspects}), source, until)
        missing |= whole.missing
        # the sample lacks no days: others that are known are of another exchange, or of before it moved
        rescaled = rescaling(source, whole, known, since, again if source.replayed else replace)
        missing |= rescaled.refused
        taken = whole.prices.filter(~pl.col("symbol").is_in(list(rescaled.refused)))
        fresh = pl.concat([fresh.filter(~pl.col("symbol").is_in(again)), taken])
        compared = compared_with(fresh, known)
    replaced = pl.col("symbol").is_in([history.symbol for history in rescaled.accepted])
    changes = compared.filter(~same_close().fill_null(value=False))
    news = changes.filter(~replaced)
    corrected = news.filter(pl.col("close_known").is_not_null())
    kept = known.filter(~replaced)
    kept = kept.join(corrected, on=KEY, how="anti") if corrected.height else kept
    added = pl.concat([news.select(known.columns), fresh.filter(replaced)])
    last = known.group_by("symbol").agg(pl.col("date").max().alias("last"))
    late = news.join(last, on="symbol").filter(
        pl.col("close_known").is_null(), pl.col("date") < pl.col("last")
    )
    silent = set(symbols) - set(idle) - set(fresh["symbol"].unique()) - set(missing)
    missing |= {symbol: _nothing(source, symbol) for symbol in silent}
    return Merged(
        pl.concat([kept, added]).sort(KEY) if added.height else kept,
        changes.select(KEY),
        corrected.height + late.height,
        rescaled.accepted,
        missing,
    )


def valid_row() -> pl.Expr:
    """Whether a row has a symbol, a sensible day and a positive finite close."""
    close = pl.col("close")
    valid = (
        close.is_finite() & (close > 0) & pl.col("symbol").is_not_null() & pl.col("date").is_between(*DAYS)
    )
    return valid.fill_null(value=False)


def _usable(fetched: Fetched, source: Source, until: date) -> Fetched:
    """Return what came up to the day `until`, without the symbols that have an impossible or repeated row."""
    prices = fetched.prices.filter(pl.col("date").is_null() | (pl.col("date") <= until))
    once = (
        prices.group_by("symbol").agg(pl.col("date").is_unique().all().alias("once")).filter(~pl.col("once"))
    )
    doubled = prices.filter(pl.col("symbol").is_in(once["symbol"].to_list()))
    repeated = doubled.filter(~pl.struct(KEY).is_unique())
    faulty = pl.concat([prices.filter(~valid_row()), repeated]).unique(
        "symbol", keep="first", maintain_order=True
    )
    missing = dict(fetched.missing)
    for symbol, day, close in faulty.select(*KEY, "close").iter_rows():
        text = f"source {source.name}: {symbol} has an impossible or repeated row ({day}, close {close})"
        missing[str(symbol)] = Missing(Reason.FAULTY, f"{text}; correct it at the source")
    if faulty.height:
        prices = prices.filter(~pl.col("symbol").is_in(faulty["symbol"].to_list(), nulls_equal=True))
    return Fetched(prices, missing, fetched.actions)


def _suspects(compared: pl.DataFrame, known: pl.DataFrame) -> list[str]:
    """Return the known symbols with fresh rows whose oldest common close differs, or that have none."""
    common = compared.filter(pl.col("close_known").is_not_null())
    oldest = common.group_by("symbol").agg(same_close().get(pl.col("date").arg_min()).alias("same"))
    sure = oldest.filter(pl.col("same"))["symbol"]
    return sorted(set(compared["symbol"].unique()) & set(known["symbol"].unique()) - set(sure))


def _nothing(source: Source, symbol: str) -> Missing:
    fix = f"check it, or take {symbol} out of INGESTION_SYMBOLS"
    return Missing(Reason.EMPTY, f"source {source.name}: no prices of {symbol}; {fix}")
