"""The record of what was compared, and what the letters of both were worth once returns are in.

grades/compared/<variant>/<batch>.parquet has the letter of each symbol by both. It outlives the grades, which
are removed with the prices of their batch.
"""

from datetime import date
from pathlib import Path

import polars as pl

from apps.api.records import Grades
from apps.common.batches import of_batches, remove
from apps.common.compared import unchanged
from apps.common.parquet import write_parquet
from apps.common.stage import BadData
from apps.common.versions import Version
from apps.evaluation.measures import BEST, WORST
from apps.evaluation.paired import BOTH, HORIZONS, NOTHING, Paired, paired
from apps.evaluation.sessions import Sessions

KEPT = 500  # batches, about two years
SCHEMA = {"symbol": pl.String, "champion": pl.String, "challenger": pl.String, "session": pl.Date}
ENDS = pl.any_horizontal(pl.col(who).is_in([BEST, WORST]) for who in BOTH)


def record(root: Path, variant: str, champion: Grades, challenger: Grades) -> None:
    """Write the letters of both for a batch; grades of two sessions are not a pair."""
    if champion.as_of != challenger.as_of:
        return
    letters = [
        pl.DataFrame([(grade.symbol, grade.grade) for grade in grades.grades], ["symbol", who], orient="row")
        for who, grades in zip(BOTH, (champion, challenger), strict=True)
    ]
    both = letters[0].join(letters[1], on="symbol", how="full", coalesce=True)
    folder = _folder(root, variant)
    folder.mkdir(parents=True, exist_ok=True)
    named = both.with_columns(session=pl.lit(champion.as_of)).match_to_schema(SCHEMA)
    write_parquet(folder / f"{champion.batch}.parquet", named)
    remove(of_batches(folder)[:-KEPT])


def returns(root: Path, variant: str, batch: str, prices: Version | None) -> dict[str, float | None]:
    """Return what the letters until a batch were worth by its prices, by flat names.

    No session has returns without prices, as when those of an old batch are gone. Raises BadData, or Changed
    for other prices than were published.
    """
    found = {}
    if prices and prices.folder.is_dir() and _files(root, variant, batch):
        with unchanged():
            found = _paired(_letters(root, variant, batch), prices.file("prices.parquet"))
    details: dict[str, float | None] = {}
    for horizon in HORIZONS:
        of = found.get(horizon, NOTHING)
        details |= {
            f"sessions_{horizon}": of.sessions,
            f"champion_spread_{horizon}": of.champion,
            f"challenger_spread_{horizon}": of.challenger,
            f"difference_{horizon}": of.difference,
            f"difference_low_{horizon}": of.low,
            f"difference_high_{horizon}": of.high,
        }
    return details


def _paired(letters: pl.DataFrame, path: Path) -> dict[int, Paired]:
    """Return what letters were worth by the prices in a file; each day with a price counts as a session."""
    first = letters.select(pl.col("session").min()).item()
    try:
        closes = pl.scan_parquet(path, glob=False).filter(pl.col("date") >= first).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadData(f"{path} is unreadable: {str(error).strip().partition(chr(10))[0]}") from error
    symbols = pl.Enum(pl.concat([closes["symbol"], letters["symbol"]]).unique().sort())
    closes, letters = (each.with_columns(pl.col("symbol").cast(symbols)) for each in (closes, letters))
    sessions = Sessions.of(closes["date"], "")
    return paired(sessions.numbered(letters, "session"), sessions.numbered(closes), sessions.last)


def _letters(root: Path, variant: str, batch: str) -> pl.DataFrame:
    """Return symbol, session and both letters of each session's newest batch, of the first and the last."""
    parts: dict[date, pl.DataFrame] = {}
    for path in _files(root, variant, batch):
        try:
            part = pl.read_parquet(path, glob=False).match_to_schema(SCHEMA)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise BadData(f"{path} is unreadable: remove it, and compare its batch again") from error
        if not part.is_empty():
            parts[part["session"][0]] = part.filter(ENDS)
    return pl.concat(parts.values()) if parts else pl.DataFrame(schema=SCHEMA)


def _files(root: Path, variant: str, batch: str) -> list[Path]:
    return [path for path in of_batches(_folder(root, variant)) if path.stem <= batch]


def _folder(root: Path, variant: str) -> Path:
    return root / "grades" / "compared" / variant
