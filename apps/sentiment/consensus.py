"""Which symbols are analysed: RankAlpha's consensus of the screeners, or the whole universe."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from apps.common.stage import BadData
from apps.sentiment.reports import Appearance


@dataclass(frozen=True)
class Candidate:
    """A symbol and how many distinct screeners, and styles of screeners, it appeared in."""

    symbol: str
    appearances: int
    styles: int


def candidates(appearances: Sequence[Appearance]) -> list[Candidate]:
    """Count each symbol's distinct screeners and styles; best first: appearances, styles, then symbol."""
    screeners: dict[str, set[str]] = defaultdict(set)
    styles: dict[str, set[str]] = defaultdict(set)
    for appearance in appearances:
        screeners[appearance.symbol].add(appearance.screener)
        styles[appearance.symbol].add(appearance.style)
    counted = [Candidate(symbol, len(screeners[symbol]), len(styles[symbol])) for symbol in screeners]
    return sorted(counted, key=lambda each: (-each.appearances, -each.styles, each.symbol))


def consensus(
    appearances: Sequence[Appearance], min_appearances: int, min_styles: int, limit: int
) -> list[Candidate]:
    """Return at most `limit` candidates that enough screeners of enough styles agree on, best first."""
    agreed = [
        each
        for each in candidates(appearances)
        if each.appearances >= min_appearances and each.styles >= min_styles
    ]
    return agreed[:limit]


def universe(prices: Path, appearances: Sequence[Appearance]) -> list[Candidate]:
    """Return every symbol of prices.parquet, alphabetically, with its counts (0 when no screener has it).

    Raises BadData when the file is missing or is not a Parquet file with a text column `symbol`.
    """
    if not prices.is_file():
        raise BadData(f"{prices} is missing: run the ingestion stage for this batch first")
    try:
        symbols = pl.read_parquet(prices, columns=["symbol"])["symbol"].cast(pl.String).unique().sort()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadData(f"{prices} is unreadable: repeat the ingestion stage ({first_line(error)})") from error
    counted = {each.symbol: each for each in candidates(appearances)}
    return [counted.get(symbol, Candidate(symbol, 0, 0)) for symbol in symbols]


def first_line(error: Exception) -> str:
    """Return the first line of an error's text: a library's message often spans several."""
    return str(error).strip().partition("\n")[0]
