"""The folder where yfinance keeps cookies and the time zones of symbols, in databases."""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

log = logging.getLogger("ingestion")


def usable(cache: Path) -> bool:
    """Whether yfinance can keep databases in a folder; damaged ones are removed.

    Otherwise it reports a failure of its databases as one of each symbol. Some shared file systems hold no
    databases.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for path in (*cache.glob("*.db"), cache / "probe"):
            with closing(sqlite3.connect(path)) as database:
                database.execute("pragma journal_mode = wal")
                database.execute("pragma quick_check")
    except (OSError, sqlite3.OperationalError) as error:
        log.warning(
            "warning: %s holds no databases (%s), so time zones are asked for in each batch", cache, error
        )
        return False
    except sqlite3.DatabaseError as error:
        log.warning("warning: %s is damaged (%s) and created again", cache, error)
        shutil.rmtree(cache, ignore_errors=True)
    return True
