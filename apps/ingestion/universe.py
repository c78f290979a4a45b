"""universe.csv of a market, taken into each batch's prices: names and sectors as they were known then."""

import logging
from collections.abc import Collection
from datetime import date
from pathlib import Path

from apps.common.files import write_atomic
from apps.common.stage import Batch
from apps.common.universe import UNIVERSE, current, read_universe
from apps.ingestion import snapshots
from apps.ingestion.sources import Source

SAMPLE = Path(__file__).parent / "sample" / UNIVERSE
SHOWN = 5  # symbols that the log names

log = logging.getLogger("ingestion")


def file_of(batch: Batch, source: Source) -> Path | None:
    """Return the market's own file, or the sample's for the sample; None without one."""
    own = batch.data_dir / snapshots.VOLUME / UNIVERSE
    if own.is_file():
        return own
    return SAMPLE if source.name == "sample" else None


def take(
    batch: Batch, source: Source, symbols: Collection[str], day: date
) -> tuple[list[Path], dict[str, int]]:
    """Copy the file to the batch's prices; return what was written, and figures for the result.

    `unlisted` symbols have prices and no line that holds on the day, `unknown` ones the reverse. Raises
    BadData for a file that cannot be used.
    """
    path, target = file_of(batch, source), batch.target(snapshots.VOLUME) / UNIVERSE
    if path is None:
        target.unlink(missing_ok=True)  # of an earlier attempt
        return [], {}
    content = path.read_bytes()
    write_atomic(target, lambda temporary: temporary.write_bytes(content))
    listed = set(current(read_universe(path), day)["symbol"])
    unlisted, unknown = sorted(set(symbols) - listed), sorted(listed - set(symbols))
    _name("without a line for this day, though they have prices", path, unlisted)
    if path != SAMPLE:  # whoever ranks a part of the sample knows it
        _name("listed, but without prices", path, unknown)
    return [target], {"unlisted": len(unlisted), "unknown": len(unknown)}


def _name(what: str, path: Path, symbols: Collection[str]) -> None:
    if symbols:
        some = ", ".join(list(symbols)[:SHOWN]) + (", ..." if len(symbols) > SHOWN else "")
        log.warning("warning: %s: %s (%d): %s", path, what, len(symbols), some)
