"""Prices from Yahoo Finance by the yfinance library, which is imported only when this source is chosen."""

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from apps.common.stage import BadConfig
from apps.common.transient import Patience
from apps.ingestion.sessions import next_days
from apps.ingestion.sources import ACTIONS, Fetched, Missing, Reason
from apps.ingestion.sources.yahoo_cache import usable
from apps.ingestion.sources.yahoo_frames import SCHEMA, finished, to_actions, to_prices
from apps.ingestion.sources.yahoo_missing import why_missing

if TYPE_CHECKING:
    from apps.ingestion.sources.yahoo_session import PatientSession

log = logging.getLogger("ingestion")

AT_ONCE = 4  # requests in flight; Yahoo limits how many an address may send
OUT_OF_SERVICE = 5  # symbols in a row without an answer, after which the others are not asked for


class Answer(NamedTuple):
    """What came for one symbol."""

    prices: pl.DataFrame
    actions: pl.DataFrame
    missing: Missing | None = None


class YahooSource:
    """Adjusted closes of finished days: from `start` up to, and not including, the day `end`."""

    name = "yahoo"
    replayed = False
    notice = ""
    left: int | None = None
    state: str | None = "as of the day"  # it depends on the days that a batch may have, and on nothing else

    def __init__(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        patience: Patience | None = None,
        cache: Path | None = None,
        budget: timedelta = timedelta(minutes=20),
        session: date | None = None,
    ) -> None:
        """Take the given symbols; raise BadConfig when there are none or `start` is not before `end`.

        `cache` is the folder where yfinance keeps cookies and the time zones of symbols, which halves the
        requests of the next batch; without one, they are kept for this batch only. After the time of `budget`
        the remaining symbols are not asked for. `session` is the exchange's last one before
        `end`.
        """
        if not symbols:
            raise BadConfig("INGESTION_SYMBOLS is empty: INGESTION_SOURCE=yahoo needs it, such as AAPL,MSFT")
        if start >= end:
            raise BadConfig(f"INGESTION_START={start} must be before the batch's day {end}")
        self.symbols = sorted(symbols)
        self._start, self._end, self._session_day = start, end, session
        self.newest: date | None = end - timedelta(days=1)
        self._budget, self._ends = budget, math.inf  # a moment of time.monotonic
        self._patience, self._cache = patience or Patience(), cache
        self._session: PatientSession | None = None
        self._unanswered: list[Missing] = []  # since the last answer
        self._over = False
        self._lock = threading.Lock()

    def quiet_until(self, day: date, prices: pl.DataFrame, missing: Mapping[str, Missing]) -> date:  # noqa: ARG002
        """See `Source.quiet_until`; the first day that a symbol may have next, as batches end before it.

        A symbol that Yahoo does not have, or that is no longer traded, brings nothing before that day either.
        """
        if any(why.reason not in (Reason.UNKNOWN, Reason.EMPTY) for why in missing.values()):
            return date.min
        traded = prices.filter(~pl.col("symbol").is_in(list(missing)))
        if self._session_day:  # until the next session, whose batch does not take over this one's files
            newest = traded.group_by("symbol").agg(pl.col("date").max())
            return date.min if newest.filter(pl.col("date") < self._session_day).height else date.max
        return min(next_days(traded).values(), default=date.min)

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:
        """See `Source.fetch`. A failure is about its symbol only, until Yahoo no longer answers at all."""
        if self._session is None:
            if self._cache is None or not usable(self._cache):
                self._temporary = TemporaryDirectory(prefix="yahoo-", ignore_cleanup_errors=True)
                self._cache = Path(self._temporary.name)
            from apps.ingestion.sources.yahoo_session import opened  # noqa: PLC0415  (it loads yfinance)

            self._session = opened(self._patience, self._cache)
            self._ends = time.monotonic() + self._budget.total_seconds()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(
                pool.map(lambda symbol: self._ask(symbol, since.get(symbol, self._start)), symbols)
            )
        return Fetched(
            pl.concat([SCHEMA.to_frame(), *(answer.prices for answer in answers)]),
            {
                symbol: answer.missing
                for symbol, answer in zip(symbols, answers, strict=True)
                if answer.missing is not None
            },
            pl.concat([ACTIONS.to_frame(), *(answer.actions for answer in answers)]),
        )

    def _ask(self, symbol: str, start: date) -> Answer:
        with self._lock:
            if len(self._unanswered) >= OUT_OF_SERVICE:
                return _without(self._unanswered[-1])
            if time.monotonic() > self._ends:
                return _without(self._unasked(symbol))
        try:
            answer = self._answer(symbol, start)
        except Exception as error:  # noqa: BLE001  the library lets errors of several libraries through
            answer = _without(why_missing(symbol, error))
        missing = answer.missing
        with self._lock:
            if missing is not None and missing.reason in (Reason.UNAVAILABLE, Reason.REFUSED):
                self._unanswered.append(missing)
            else:
                self._unanswered.clear()
        return answer

    def _unasked(self, symbol: str) -> Missing:
        over = f"INGESTION_BUDGET_MINUTES={self._budget / timedelta(minutes=1):g} is over"
        if not self._over:
            self._over = True
            log.warning("warning: %s, the remaining symbols are not asked for", over)
        fix = "raise it, or have fewer symbols, INGESTION_ATTEMPTS or INGESTION_TIMEOUT_SECONDS"
        return Missing(Reason.UNASKED, f"Yahoo was not asked for {symbol}: {over}; {fix}")

    def _answer(self, symbol: str, start: date) -> Answer:
        import pandas as pd  # type: ignore[import-untyped]  # noqa: PLC0415
        import yfinance  # noqa: PLC0415  (takes a second and is not needed by the other sources)

        ticker = yfinance.Ticker(symbol, session=self._session)
        frame = ticker.history(start=start, end=self._end, auto_adjust=True, timeout=self._patience.timeout)
        frame = finished(frame, ticker.history_metadata)
        prices = to_prices(pd.concat({symbol: frame}, axis=1).swaplevel(axis=1))
        prices = prices.filter(pl.col("date") < self._end)  # Yahoo adds the present day now and then
        if prices.is_empty():
            text = f"Yahoo has no prices of {symbol} from {start} on; has it been renamed or delisted?"
            return _without(Missing(Reason.EMPTY, f"{text} Correct INGESTION_SYMBOLS"))
        return Answer(prices, to_actions(symbol, frame))


def _without(missing: Missing) -> Answer:
    return Answer(SCHEMA.to_frame(), ACTIONS.to_frame(), missing)
