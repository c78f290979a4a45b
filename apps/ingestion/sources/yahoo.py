"""Prices from Yahoo Finance by the yfinance library, which is imported only when this source is chosen."""

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from apps.common.stage import BadConfig
from apps.common.transient import Patience, Unavailable
from apps.ingestion.sources import ACTIONS, Fetched, Missing, Reason

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

    from apps.ingestion.sources.yahoo_session import PatientSession

log = logging.getLogger("ingestion")

SCHEMA = pl.Schema({"symbol": pl.String, "date": pl.Date, "close": pl.Float64})
AT_ONCE = 4  # requests in flight; Yahoo limits how many an address may send
OUT_OF_SERVICE = 5  # symbols in a row without an answer, after which the others are not asked for
KINDS = {"Dividends": "dividend", "Stock Splits": "split"}
LONGEST = 200  # characters of what the library says


class Answer(NamedTuple):
    """What came for one symbol."""

    prices: pl.DataFrame
    actions: pl.DataFrame
    missing: Missing | None = None


class YahooSource:
    """Adjusted closes of finished days: from `start` up to, and not including, the day `end`."""

    name = "yahoo"
    replayed = False
    state: str | None = None

    def __init__(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        patience: Patience | None = None,
        cache: Path | None = None,
    ) -> None:
        """Take the given symbols; raise BadConfig when there are none or `start` is not before `end`.

        `cache` is the folder where yfinance keeps cookies and the time zones of symbols, which halves the
        requests of the next batch; without one, they are kept for this batch only.
        """
        if not symbols:
            raise BadConfig("INGESTION_SYMBOLS is empty: INGESTION_SOURCE=yahoo needs it, such as AAPL,MSFT")
        if start >= end:
            raise BadConfig(f"INGESTION_START={start} must be before the batch's day {end}")
        self.symbols = sorted(symbols)
        self._start, self._end = start, end
        self._patience, self._cache = patience or Patience(), cache
        self._session: PatientSession | None = None
        self._unanswered: list[Missing] = []  # since the last answer
        self._lock = threading.Lock()

    def settled(self, day: date) -> bool:  # noqa: ARG002
        """See `Source.settled`."""
        return False

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:
        """See `Source.fetch`. A failure is that of its symbol, until Yahoo answers for none any more."""
        if self._session is None:
            if self._cache is None or not _usable(self._cache):
                self._temporary = TemporaryDirectory(prefix="yahoo-", ignore_cleanup_errors=True)
                self._cache = Path(self._temporary.name)
            self._session = _session(self._patience, self._cache)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda one: self._ask(one, since.get(one, self._start)), symbols))
        return Fetched(
            pl.concat([SCHEMA.to_frame(), *(one.prices for one in answers)]),
            {
                symbol: one.missing
                for symbol, one in zip(symbols, answers, strict=True)
                if one.missing is not None
            },
            pl.concat([ACTIONS.to_frame(), *(one.actions for one in answers)]),
        )

    def _ask(self, symbol: str, start: date) -> Answer:
        with self._lock:
            if len(self._unanswered) >= OUT_OF_SERVICE:
                return _without(self._unanswered[-1])
        try:
            answer = self._answer(symbol, start)
        except Exception as error:  # noqa: BLE001  the library lets errors of several libraries through
            answer = _without(_why(symbol, error))
        missing = answer.missing
        with self._lock:
            if missing is not None and missing.reason in (Reason.UNAVAILABLE, Reason.REFUSED):
                self._unanswered.append(missing)
            else:
                self._unanswered.clear()
        return answer

    def _answer(self, symbol: str, start: date) -> Answer:
        import pandas as pd  # noqa: PLC0415
        import yfinance  # noqa: PLC0415  (takes a second and is not needed by the other sources)

        ticker = yfinance.Ticker(symbol, session=self._session)
        frame = ticker.history(start=start, end=self._end, auto_adjust=True, timeout=self._patience.timeout)
        frame = _finished(frame, ticker.history_metadata)
        prices = to_prices(pd.concat({symbol: frame}, axis=1).swaplevel(axis=1))
        prices = prices.filter(pl.col("date") < self._end)  # Yahoo adds the present day now and then
        if prices.is_empty():
            text = f"Yahoo has no prices of {symbol} from {start} on; has it been renamed or delisted?"
            return _without(Missing(Reason.EMPTY, f"{text} Correct INGESTION_SYMBOLS"))
        return Answer(prices, to_actions(symbol, frame))


def to_prices(frame: "pd.DataFrame") -> pl.DataFrame:
    """Turn yfinance's frame (index: days; columns: field, ticker) into symbol, date, close.

    Days are those of the exchange. Days without a close (a ticker's holidays, or before it was listed) are
    left out, and so are zero and negative closes, which Yahoo's adjustment brings forth now and then. Of two
    bars on one day the later one counts.
    """
    if frame.empty or "Close" not in frame.columns.get_level_values(0):
        return SCHEMA.to_frame()
    closes = frame["Close"].sort_index()
    wide = pl.DataFrame(
        [_days(closes), *(pl.Series(str(name), closes[name].to_numpy()) for name in closes.columns)]
    )
    long = (
        wide.unpivot(index="date", variable_name="symbol", value_name="close")
        .select(SCHEMA.names())
        .cast(SCHEMA)
    )
    valid = long.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
    return valid.unique(["symbol", "date"], keep="last", maintain_order=True)


def to_actions(symbol: str, frame: "pd.DataFrame") -> pl.DataFrame:
    """Return the dividends and splits of one symbol's frame."""
    parts = [ACTIONS.to_frame()]
    for column in KINDS.keys() & set(frame.columns):
        values = pl.DataFrame([_days(frame), pl.Series("value", frame[column].to_numpy(dtype="float64"))])
        kind = pl.lit(symbol).alias("symbol"), "date", pl.lit(KINDS[column]).alias("kind"), "value"
        parts.append(values.filter(pl.col("value") > 0).select(kind))
    return pl.concat(parts)


def _days(frame: "pd.DataFrame") -> pl.Series:
    """Return the exchange's days of an index of any unit; polars takes no seconds, which yfinance gives."""
    import pandas as pd  # noqa: PLC0415

    index = pd.DatetimeIndex(frame.index).tz_localize(None)
    return pl.Series("date", index.to_numpy().astype("datetime64[ms]")).cast(pl.Date)


def _finished(frame: "pd.DataFrame", about: Mapping[str, object]) -> "pd.DataFrame":
    """Return the frame without the bar of a session that is still open."""
    periods = about.get("currentTradingPeriod")
    regular = periods.get("regular") if isinstance(periods, Mapping) else None
    if frame.empty or not isinstance(regular, Mapping):
        return frame
    opens, closes = (_moment(regular.get(name)) for name in ("start", "end"))
    if opens is None or closes is None or not opens <= time.time() < closes:
        return frame
    import pandas as pd  # noqa: PLC0415

    today = pd.Timestamp(opens, unit="s", tz="UTC").tz_convert(frame.index.tz).date()
    return frame[frame.index.date < today]


def _moment(value: object) -> float | None:
    """Return a moment as seconds since 1970, as Yahoo gives it or as yfinance may have turned it."""
    if isinstance(value, int | float):
        return float(value)
    stamp = getattr(value, "timestamp", None)
    return float(stamp()) if callable(stamp) else None


def _session(patience: Patience, cache: Path) -> "PatientSession":
    import yfinance  # noqa: PLC0415
    from yfinance.cache import get_cookie_cache, get_isin_cache, get_tz_cache  # noqa: PLC0415

    from apps.ingestion.sources.yahoo_session import PatientSession  # noqa: PLC0415

    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # its errors are named here, symbol by symbol
    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(str(cache))
    # opened by one thread, and kept open: threads that open a database at the same time may find it locked
    for opened in (get_tz_cache(), get_cookie_cache(), get_isin_cache()):
        opened.lookup("")
    return PatientSession(patience)


def _usable(cache: Path) -> bool:
    """Whether yfinance can keep databases in a folder; damaged ones are removed.

    It would take a failure of its databases for one of each symbol. Some shared file systems hold none.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for path in (*cache.glob("*.db"), cache / "probe"):
            with closing(sqlite3.connect(path)) as database:
                database.execute("pragma journal_mode = wal")
                database.execute("pragma quick_check")
    except (OSError, sqlite3.OperationalError) as error:
        log.warning("warning: %s holds no databases (%s), so time zones are asked for each day", cache, error)
        return False
    except sqlite3.DatabaseError as error:
        log.warning("warning: %s is damaged (%s) and begun again", cache, error)
        shutil.rmtree(cache, ignore_errors=True)
    return True


def _why(symbol: str, error: Exception) -> Missing:
    """Return the one line about a symbol that brought an error."""
    from apps.ingestion.sources.yahoo_session import Refused  # noqa: PLC0415

    if isinstance(error, Refused):
        if error.us:
            text = f"Yahoo refuses to serve this address ({error})"
            return Missing(Reason.REFUSED, f"{text}; check the proxy, or choose another INGESTION_SOURCE")
        text = f"Yahoo does not have {symbol} ({error}); has it been renamed or delisted?"
        return Missing(Reason.UNKNOWN, f"{text} Correct INGESTION_SYMBOLS")
    if isinstance(error, Unavailable) or type(error).__name__ == "YFRateLimitError":
        return Missing(Reason.UNAVAILABLE, f"Yahoo did not answer for {symbol}: {error}"[:LONGEST])
    if type(error).__name__ in ("YFPricesMissingError", "YFTzMissingError"):
        text = f"Yahoo has no prices of {symbol} ({' '.join(str(error).split())[:LONGEST]})"
        return Missing(Reason.EMPTY, f"{text}; correct INGESTION_SYMBOLS")
    said = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
    return Missing(Reason.FAULTY, f"Yahoo's answer for {symbol} cannot be used ({said}); try again later")


def _without(missing: Missing) -> Answer:
    return Answer(SCHEMA.to_frame(), ACTIONS.to_frame(), missing)
