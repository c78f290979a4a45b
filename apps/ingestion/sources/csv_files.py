"""Prices from a folder of the user: a file <SYMBOL>.csv for each symbol with the columns date and close."""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from apps.common.stage import BadConfig, BadData
from apps.ingestion.settings import SYMBOL
from apps.ingestion.sources import Fetched, Missing, Reason
from apps.ingestion.sources.csv_table import read_prices

log = logging.getLogger("ingestion")

TICK = 2.0  # seconds, of the coarsest file systems
SHOWN = 5  # names that a message lists


class CsvSource:
    """Reads the files whole each time: a correction anywhere in a file reaches the next batch."""

    name = "csv"
    replayed = False
    notice = ""
    left: int | None = None
    newest: date | None = None

    def __init__(self, folder: Path, symbols: Sequence[str] = ()) -> None:
        """Take the given symbols or all files of `folder`; raise BadConfig or BadData when there are none."""
        if not folder.is_dir():
            raise BadConfig(
                f"INGESTION_CSV_DIR={str(folder)!r} is not a folder; expected the folder of the CSV files, "
                "see docs/guides/prices.md"
            )
        self._folder = folder
        self._files = _files(folder)
        self.symbols = sorted(symbols or self._files)
        stats = {path: path.stat() for paths in self._files.values() for path in paths}
        self.state: str | None = repr(
            [(path.name, stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()]
        )
        # a file may be written again within the same tick of its file system's clock
        self._ticking = max(stat.st_mtime for stat in stats.values()) > time.time() - TICK if stats else True
        self._last = date.min
        if not self.symbols:
            raise BadData(f"{folder}: no CSV file in it; add <SYMBOL>.csv files with columns date,close")

    def quiet_until(self, day: date, prices: pl.DataFrame, missing: Mapping[str, Missing]) -> date:  # noqa: ARG002
        """See `Source.quiet_until`; not known when a file has a later day, or was written just now."""
        return date.max if self._last <= day and not self._ticking else date.min

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:  # noqa: ARG002
        """See `Source.fetch`; returns all days: reading only the end of a file would save nothing."""
        tables, missing = [], {}
        for symbol in symbols:
            try:
                tables.append(read_prices(self._file(symbol), symbol))
            except FileNotFoundError as error:
                missing[symbol] = Missing(Reason.UNKNOWN, str(error))
            except BadData as error:
                missing[symbol] = Missing(Reason.FAULTY, str(error))
        empty = pl.DataFrame(schema={"symbol": pl.String, "date": pl.Date, "close": pl.Float64})
        prices = pl.concat([empty, *tables])
        self._last = max(self._last, *prices.select(pl.col("date").max().fill_null(date.min)).row(0))
        return Fetched(prices, missing)

    def _file(self, symbol: str) -> Path:
        """Return the one file of a symbol; raises FileNotFoundError or, for several, BadData."""
        paths = self._files.get(symbol, [])
        if not paths:
            path = self._folder / f"{symbol}.csv"
            raise FileNotFoundError(
                f"{path}: missing; add the file or take {symbol} out of INGESTION_SYMBOLS"
            )
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            raise BadData(f"{self._folder}: {names} are both of {symbol}; keep one of them")
        return paths[0]


def _files(folder: Path) -> dict[str, list[Path]]:
    """Return the CSV files of each symbol, in any case of letters; what is not read is named in the log."""
    files, others = defaultdict(list), []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue  # hidden files are those of editors and file managers
        symbol = path.stem.upper()
        if path.is_file() and path.suffix.lower() == ".csv" and SYMBOL.fullmatch(symbol):
            files[symbol].append(path)
        else:  # also folders, and links that lead nowhere
            others.append(repr(path.name)[1:-1])  # a name may hold line ends and half characters
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        listed = ", ".join(others[:SHOWN]) + more
        log.warning("warning: %s: not read, rename it to <SYMBOL>.csv, like AAPL.csv: %s", folder, listed)
    return dict(files)
