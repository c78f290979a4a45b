"""How an answer joins the history that is known: nothing that is known is lost or bent by it.

The newest known sessions are asked for again, and so is all since the oldest hole. Adjusted closes are
rescaled backwards by every dividend and split: when the oldest close that was asked for again has changed,
all before it may have changed too, and the whole history is fetched. It replaces what is known unless it
has fewer days.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from apps.ingestion.sources import Fetched, Missing, Reason, Source

KEY = ["symbol", "date"]

# Closes this close to each other (relative) are the same close: data vendors compute adjusted closes in
# single precision (about 1e-7), while a dividend, the smallest real adjustment, moves a close by more.
SAME_CLOSE = 1e-6

DAYS = (date(1800, 1, 1), date(2200, 1, 1))  # days outside come of a damaged file
HOLES_WITHIN = timedelta(days=180)  # an older hole is a halt, or a day that the source will never have
MARKET = r"(\.[A-Z]+|=[A-Z]|-[A-Z]{3})$"  # .DE, =X or -USD: symbols of one exchange share its holidays


class Rescaled(NamedTuple):
    """A history that was replaced; `factor` is what its old closes were multiplied by, if that is known."""

    symbol: str
    factor: float | None
    actions: list[dict[str, object]]  # date, kind, value: what the source says has happened since


class Merged(NamedTuple):
    """The histories of some symbols, sorted, and what has become of them."""

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
) -> Merged:
    """Return the histories of `symbols` up to the day `until`, from what is known and what the source has.

    `since` holds the first day to ask for of each known symbol. `replace`: symbols whose history is taken as
    the source has it, even if it is shorter. A symbol for which nothing comes keeps what is known.
    """
    usual = [symbol for symbol in symbols if symbol not in replace]
    fetched = _usable(source.fetch(usual, since), source, until) if usual else Fetched(known.clear())
    compared = _compared(fetched.prices, known)
    suspects = _suspects(compared, known)
    first = dict(known.group_by("symbol").agg(pl.col("date").min()).iter_rows())
    again = sorted({*suspects, *set(symbols).intersection(replace)})
    fresh, missing, rescaled = fetched.prices, dict(fetched.missing), _Rescaling({}, [])
    if again:
        whole = _usable(source.fetch(again, {s: first[s] for s in suspects}), source, until)
        missing |= whole.missing
        rescaled = _rescaling(source, whole, known, since, replace)
        missing |= rescaled.refused
        taken = whole.prices.filter(~pl.col("symbol").is_in(list(rescaled.refused)))
        fresh = pl.concat([fresh.filter(~pl.col("symbol").is_in(again)), taken])
        compared = _compared(fresh, known)
    replaced = pl.col("symbol").is_in([one.symbol for one in rescaled.accepted])
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
    silent = set(symbols) - set(fresh["symbol"].unique()) - set(missing)
    missing |= {symbol: _nothing(source, symbol) for symbol in silent}
    return Merged(
        pl.concat([kept, added]).sort(KEY) if added.height else kept,
        changes.select(KEY),
        corrected.height + late.height,
        rescaled.accepted,
        missing,
    )


def ask_since(known: pl.DataFrame, missing_days: pl.DataFrame, overlap: int) -> dict[str, date]:
    """Return the first day to ask for of each symbol: `overlap` sessions back, or before its oldest hole."""
    tail = known.group_by("symbol").agg(pl.col("date").sort().tail(overlap).first())
    oldest = missing_days.group_by("symbol").agg(pl.col("date").min().alias("hole"))
    before = known.join(oldest, on="symbol").filter(pl.col("date") < pl.col("hole"))
    reach = before.group_by("symbol").agg(pl.col("date").max())  # the day before it shows whether all holds
    return dict(pl.concat([tail, reach]).group_by("symbol").agg(pl.col("date").min()).iter_rows())


def holes(prices: pl.LazyFrame) -> pl.DataFrame:
    """Return symbol, date of the recent days that a symbol lacks but half of its market's symbols have.

    Only days between the symbol's own first and last; sorted.
    """
    recent = prices.select(KEY).filter(pl.col("date") > pl.col("date").max() - HOLES_WITHIN)
    market = pl.col("symbol").str.extract(MARKET).fill_null("").alias("market")
    rows = recent.with_columns(market).collect()
    ends = pl.col("date").min().alias("first"), pl.col("date").max().alias("last")
    spans = rows.group_by("symbol", "market").agg(ends)
    days = rows.group_by("market", "date").len("have")
    within = pl.col("date").is_between(pl.col("first"), pl.col("last"))
    usual = days.join(spans, on="market").filter(within).group_by("market", "date", "have").len("could")
    usual = usual.filter(pl.col("have") * 2 >= pl.col("could")).select("market", "date")
    expected = spans.join(usual, on="market").filter(within).select(KEY)
    return expected.join(rows, on=KEY, how="anti").sort(KEY)


def same_close() -> pl.Expr:
    """Whether `close` is `close_known` but for rounding; null where one of the two is."""
    return (pl.col("close") / pl.col("close_known") - 1).abs() <= SAME_CLOSE


def valid_row() -> pl.Expr:
    """Whether a row has a symbol, a sensible day and a positive finite close."""
    close = pl.col("close")
    valid = (
        close.is_finite() & (close > 0) & pl.col("symbol").is_not_null() & pl.col("date").is_between(*DAYS)
    )
    return valid.fill_null(value=False)


def _usable(fetched: Fetched, source: Source, until: date) -> Fetched:
    """Return what came up to the day `until`, without the symbols that have a senseless or repeated row."""
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
        text = f"source {source.name}: {symbol} has a senseless or repeated row ({day}, close {close})"
        missing[str(symbol)] = Missing(Reason.FAULTY, f"{text}; correct it at the source")
    if faulty.height:
        prices = prices.filter(~pl.col("symbol").is_in(faulty["symbol"].to_list(), nulls_equal=True))
    return Fetched(prices, missing, fetched.actions)


def _compared(fresh: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `fresh` with close_known: what is known of the same day, null where nothing is."""
    return fresh.join(known, on=KEY, how="left", suffix="_known")


def _suspects(compared: pl.DataFrame, known: pl.DataFrame) -> list[str]:
    """Return the known symbols with fresh rows whose oldest common close differs, or that have none."""
    common = compared.filter(pl.col("close_known").is_not_null())
    oldest = common.group_by("symbol").agg(same_close().get(pl.col("date").arg_min()).alias("same"))
    sure = oldest.filter(pl.col("same"))["symbol"]
    return sorted(set(compared["symbol"].unique()) & set(known["symbol"].unique()) - set(sure))


class _Rescaling(NamedTuple):
    refused: dict[str, Missing]
    accepted: list[Rescaled]


def _rescaling(
    source: Source,
    whole: Fetched,
    known: pl.DataFrame,
    since: Mapping[str, date],
    replace: Collection[str],
) -> _Rescaling:
    """Return which histories have another scale than what is known, and are to replace it or are refused.

    A history is refused when it lacks days that are known, up to the last of them, unless `replace` names it.
    """
    refused, accepted = {}, []
    counts = known.group_by("symbol").agg(pl.len().alias("days"), pl.col("date").max().alias("last"))
    came = whole.prices.join(counts, on="symbol").filter(pl.col("date") <= pl.col("last"))
    having = dict(came.group_by("symbol").len().iter_rows())
    common = _compared(whole.prices, known)
    oldest = (
        common.sort(pl.col("close_known").is_null(), *KEY).group_by("symbol", maintain_order=True).first()
    )
    scales = oldest.join(counts, on="symbol").sort("symbol")
    for symbol, close, close_known, days in scales.select(
        "symbol", "close", "close_known", "days"
    ).iter_rows():
        factor = close / close_known if close_known else math.nan
        if symbol not in replace and abs(factor - 1) <= SAME_CLOSE:
            continue  # it was a correction, which joins what is known
        if symbol not in replace and having.get(symbol, 0) < days:
            refused[symbol] = _refused(source, symbol, having.get(symbol, 0), days)
            continue
        mine = whole.actions.filter(pl.col("symbol") == symbol, pl.col("date") >= since.get(symbol, date.min))
        listed = mine.sort("date").select(pl.col("date").cast(pl.String), "kind", "value").to_dicts()
        accepted.append(Rescaled(symbol, factor if close_known else None, listed))
    return _Rescaling(refused, accepted)


def _refused(source: Source, symbol: str, came: int, days: int) -> Missing:
    text = (
        f"source {source.name}: {symbol} has another scale now, but {came} days instead of the {days} known"
    )
    fix = f"what is known is kept; complete the source, or accept it with INGESTION_REPLACE={symbol}"
    return Missing(Reason.SHORTER, f"{text}; {fix}")


def _nothing(source: Source, symbol: str) -> Missing:
    fix = f"check it, or take {symbol} out of INGESTION_SYMBOLS"
    return Missing(Reason.EMPTY, f"source {source.name}: no prices of {symbol}; {fix}")
