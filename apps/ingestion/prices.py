"""How a batch brings the prices up to date."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from apps.common.exchange import Exchange
from apps.common.stage import BadConfig, BadData
from apps.common.transient import Unavailable
from apps.ingestion.history import merge
from apps.ingestion.jumps import flips, jumps
from apps.ingestion.rescaling import Rescaled
from apps.ingestion.sessions import ask_since, holes, next_days
from apps.ingestion.sources import Missing, Reason, Source
from apps.ingestion.table import SCHEMA, SYMBOLS_AT_ONCE, checked

log = logging.getLogger("ingestion")

# A source that leaves a larger share unanswered is out of service; another attempt may help.
MOST_UNANSWERED = 0.2


@dataclass(frozen=True)
class Update:
    """A valid table of prices and what is new in it."""

    prices: pl.DataFrame
    new_rows: int  # new or revised
    revised: int = 0  # corrected, or later than the days after them
    rescaled: list[Rescaled] = field(default_factory=list)
    jumps: pl.DataFrame = field(default_factory=pl.DataFrame)  # symbol, date, factor
    missing: dict[str, Missing] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """How an update asks and judges; see `apps.ingestion.settings`."""

    overlap: int = 10  # known sessions that are asked for again
    jump: float = 1.8  # a close that is so many times the one before, or as small a part of it, is reported
    replace: Collection[str] = ()  # symbols whose history is taken as the source has it


def update(
    source: Source,
    earlier: pl.LazyFrame,
    until: date,
    rules: Rules | None = None,
    exchange: Exchange | None = None,
) -> Update:
    """Return `earlier` brought up to date from `source`, with nothing after the day `until`.

    See `apps.ingestion.history` for how an answer joins what is known. A symbol that cannot have been
    traded since then is not asked for. A symbol for which nothing comes keeps what is known, or is left out
    when nothing is; symbols that the source no longer covers are dropped. `exchange` says which days were
    sessions; without one the prices themselves do.
    Raises BadData when nothing valid remains, BadConfig when the source refuses all, Unavailable when it does
    not answer for all or for more than a fifth, but never for a single symbol of several.
    """
    rules = rules or Rules()
    if strangers := sorted(set(rules.replace) - set(source.symbols)):
        log.warning(
            "warning: INGESTION_REPLACE names %s, which the source does not cover", ", ".join(strangers)
        )
    lacking = holes(earlier, exchange)
    merges = []
    for symbols in _parts(source.symbols, earlier):
        known = earlier.filter(pl.col("symbol").is_in(symbols)).collect()
        since = ask_since(known, lacking, rules.overlap)
        merged = merge(source, symbols, known, until, since, rules.replace, _idle(source, known, exchange))
        news = (merged.changed.clear(), []) if source.replayed else (merged.changed, merged.rescaled)
        jumping = jumps(merged.prices, news[0], rules.jump)  # the sample's jumps are real
        flipped = pl.DataFrame(flips(news[1], known, rules.jump), jumping.schema, orient="row")
        merges.append((symbols[0], merged, pl.concat([jumping, flipped])))
    merges.sort(key=lambda part: part[0])
    missing = {symbol: why for _, merged, _ in merges for symbol, why in merged.missing.items()}
    _check_answers(source, missing)
    prices = pl.concat([SCHEMA.to_frame(), *(merged.prices for _, merged, _ in merges)])
    if prices.is_empty() and missing:
        raise BadData(_first_of(missing.values()))
    return Update(
        checked(prices, f"source {source.name}"),
        new_rows=sum(merged.changed.height for _, merged, _ in merges),
        revised=sum(merged.revised for _, merged, _ in merges),
        rescaled=[history for _, merged, _ in merges for history in merged.rescaled],
        jumps=pl.concat([jumping for _, _, jumping in merges]),
        missing=missing,
    )


def _parts(symbols: Sequence[str], earlier: pl.LazyFrame) -> list[Sequence[str]]:
    """Return the symbols in parts, first the one in which most lack the newest day.

    A source whose time for asking ended before it came to all of them begins with the others the next time.
    """
    starts = range(0, len(symbols), SYMBOLS_AT_ONCE)
    parts = [symbols[start : start + SYMBOLS_AT_ONCE] for start in starts]
    if len(parts) > 1:
        last = pl.col("date").max()
        newest = earlier.group_by("symbol").agg(last).filter(pl.col("date") == last)
        current = set(newest.collect()["symbol"])
        parts.sort(key=lambda part: len(current.intersection(part)) - len(part))
    return parts


def _idle(source: Source, known: pl.DataFrame, exchange: Exchange | None) -> set[str]:
    """Return the symbols that cannot have been traded since the newest day that is known of them."""
    if source.newest is None:
        return set()
    if exchange:
        newest = known.group_by("symbol").agg(pl.col("date").max())
        return set(newest.filter(pl.col("date") >= source.newest)["symbol"])
    return {symbol for symbol, day in next_days(known).items() if day > source.newest}


def _check_answers(source: Source, missing: dict[str, Missing]) -> None:
    """Raise BadConfig when the source refuses all symbols, Unavailable when it leaves too many unanswered."""
    counts, total = Counter(why.reason for why in missing.values()), len(source.symbols)
    refused = [why for why in missing.values() if why.reason is Reason.REFUSED]
    if refused and len(refused) == total:
        raise BadConfig(_first_of(refused))
    unanswered = counts[Reason.UNAVAILABLE]
    if unanswered == total or unanswered > max(1, MOST_UNANSWERED * total):
        names = [symbol for symbol, why in missing.items() if why.reason is Reason.UNAVAILABLE]
        raise Unavailable(
            f"{source.name.capitalize()} has no prices for {unanswered} of {total} symbols "
            f"({', '.join(names[:5])}); try again later: {missing[names[0]].message}"
        )


def _first_of(missing: Collection[Missing]) -> str:
    first = next(iter(missing)).message
    return first if len(missing) == 1 else f"{first} (symbols without prices: {len(missing)})"
