"""What keeps a symbol from being rated, and when that is no longer about one symbol.

One symbol never ends a batch: it is unrated, for a reason that the result counts. A fault that all symbols
have in common is one of the service or of a setting, and ends the batch.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

from apps.common.stage import StageError

T = TypeVar("T")
FIRST = 10  # when the first ten bring nothing, the others will not either


class Unrated(Exception):
    """A symbol gets no rating. `reason` is what the result counts it as; the message names the symbol.

    `common` is the error that ends the batch when all symbols fail; None: the batch continues.
    With a plain StageError a batch of one symbol continues too.
    """

    def __init__(self, reason: str, message: str, common: type[StageError] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.common = common


class Absent(Unrated):
    """A service did not answer for a symbol; if so for most of them, the batch has another attempt later."""


Outcome: TypeAlias = T | Unrated


def for_each(symbols: Sequence[str], ask: Callable[[str], T], at_most: int) -> dict[str, Outcome[T]]:
    """Return what `ask` returns for each symbol, or why it brings nothing; `at_most` are asked at a time.

    The first is asked alone, so that a wrong key or address costs one request. Raises StageError when `ask`
    does, or when the fault is no longer about single symbols; the remaining symbols are not asked for then.
    """
    asking = _Asking(ask, len(symbols))
    for symbol in symbols[:1]:
        asking.about(symbol)
    with ThreadPoolExecutor(at_most) as pool:
        for done in [pool.submit(asking.about, symbol) for symbol in symbols[1:]]:
            done.result()
    return {symbol: asking.outcomes[symbol] for symbol in symbols}


class _Asking(Generic[T]):
    """Asks until something has ended the batch; used by several threads."""

    def __init__(self, ask: Callable[[str], T], symbols: int) -> None:
        self.outcomes: dict[str, Outcome[T]] = {}
        self._ask, self._symbols = ask, symbols
        self._lock, self._end = Lock(), list[Exception]()

    def about(self, symbol: str) -> None:
        """Ask about a symbol and keep the outcome; raises the error that has ended the batch."""
        if not self._end:
            try:
                outcome = self._outcome(symbol)
                with self._lock:
                    self.outcomes[symbol] = outcome
                    _check(self.outcomes, self._symbols)
            except Exception as error:  # noqa: BLE001  the other symbols need not be asked for
                self._end.append(error)
        if self._end:
            raise self._end[0]

    def _outcome(self, symbol: str) -> Outcome[T]:
        try:
            return self._ask(symbol)
        except Unrated as error:
            return error


def _check(outcomes: Mapping[str, object], symbols: int) -> None:
    """Raise the error that the outcomes so far, of so many symbols, have in common."""
    absent = [each for each in outcomes.values() if isinstance(each, Absent)]
    lacking = [each for each in outcomes.values() if isinstance(each, Unrated) and each.common]
    alike = len(lacking) == len(outcomes) and len(outcomes) >= min(FIRST, symbols)
    if len(absent) * 2 > symbols or alike:
        worst = (absent or lacking)[0]
        if worst.common and (len(lacking) > 1 or worst.common is not StageError):
            more = f" (and {len(lacking) - 1} more of {symbols} symbols)" if len(lacking) > 1 else ""
            raise worst.common(f"{worst}{more}")
