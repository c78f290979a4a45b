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
    if not (prices.folder / UNIVERSE).is_file():
        if sector_neutral:
            raise BadConfig(
                f"SCORER_SECTOR_NEUTRAL=true needs sectors, and {prices.folder / UNIVERSE} is not there; "
                "add universe.csv to the folder of the prices, see docs/guides/universe.md"
            )
        return signals
    listed = read_universe(prices.file(UNIVERSE))
    inside = signals.filter(~pl.col("symbol").is_in(outside(listed, day).to_list()))
    if not sector_neutral:
        return inside
    sectors = current(listed, day).select("symbol", peers="sector")
    return inside.join(sectors, on="symbol", how="left", maintain_order="left")
