"""Which symbols belong to the universe on a day, and among whom each is ranked."""

from datetime import date

import polars as pl

from apps.common.stage import BadConfig
from apps.common.universe import UNIVERSE, current, outside, read_universe
from apps.common.versions import Version


def members(prices: Version, signals: pl.DataFrame, day: date, sector_neutral: bool) -> pl.DataFrame:
    """Return the signals without the symbols that are listed in universe.csv, but not for this day.

    If sectors are neutral, `peers` is the sector of each; null for those without one, which are peers too.
    Raises BadConfig when they are to be neutral and nobody knows them.
    """
    known = listed(prices, sector_neutral)
    return signals if known is None else inside(known, signals, day, sector_neutral)


def listed(prices: Version, sector_neutral: bool) -> pl.DataFrame | None:
    """Return what universe.csv beside the prices lists; None without one. Raises as `members` does."""
    if path := prices.file_if_any(UNIVERSE):
        return read_universe(path)
    if sector_neutral:
        raise BadConfig(
            f"SCORER_SECTOR_NEUTRAL=true needs sectors, and {prices.folder / UNIVERSE} is not there; "
            "add universe.csv to the folder of the prices, see docs/guides/universe.md"
        )
    return None


def inside(known: pl.DataFrame, signals: pl.DataFrame, day: date, sector_neutral: bool) -> pl.DataFrame:
    """Return the signals of those that are not listed for other days alone, with `peers`; see `members`."""
    found = signals.join(outside(known, day).to_frame(), on="symbol", how="anti", maintain_order="left")
    if not sector_neutral:
        return found
    sectors = current(known, day).select("symbol", peers="sector")
    return found.join(sectors, on="symbol", how="left", maintain_order="left")
