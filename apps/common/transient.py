"""Which failures of a service may pass, how long to wait for it, and how often to ask: one rule for all.

These failures may pass, and the service is asked again: no answer in time, a broken connection or encoding,
too many redirects, and the answers 408, 409, 425, 429 and 5xx. `Retry-After` is honoured, in seconds or as an
HTTP date. All other refusals are final: the caller decides whether they are about one symbol, the key or the
address.

How long and how often is a setting of each stage, see `apps.common.settings.PatientEnvironment`.
"""

import os
import re
import sys
from dataclasses import dataclass
from http import HTTPStatus

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from apps.common.stage import StageError

MAY_PASS = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
# Errors of httpx, requests and curl_cffi about the request itself, not the network. They share their names.
FINAL = frozenset(
    {"InvalidURL", "InvalidSchema", "MissingSchema", "URLRequired", "UnsupportedProtocol", "InvalidHeader"}
)
UNSENT = "CurlError"  # itself, not a subclass: curl_cffi 0.17 raises it for a malformed address
FRACTION = re.compile(r"\s*\d+\.\d+\s*")  # of seconds: not a valid Retry-After, but some servers send it
BACKOFF = wait_exponential(multiplier=0.5, max=30)  # 0.5, 1, 2, 4 s


class Unavailable(StageError):
    """A service that does not answer at present; another attempt can help."""

    exit_status = os.EX_UNAVAILABLE

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds that the service asks not to be called


def may_pass(failure: int | Exception) -> bool:
    """Whether an HTTP status, or an error of httpx, requests or curl_cffi, may be gone the next time."""
    if isinstance(failure, int):
        return failure in MAY_PASS or HTTPStatus.INTERNAL_SERVER_ERROR <= failure <= 599  # noqa: PLR2004
    kinds = [kind.__name__ for kind in type(failure).__mro__]
    return kinds[0] != UNSENT and not FINAL.intersection(kinds)


def retry_after(header: str | None) -> float:
    """Return the seconds from now that a Retry-After header asks for; 0 without a valid one."""
    if not header:
        return 0.0
    try:
        return Retry(retry_after_max=sys.maxsize).parse_retry_after(header)
    except (InvalidHeader, ValueError, OverflowError):
        return float(header) if FRACTION.fullmatch(header) else 0.0


@dataclass(frozen=True)
class Patience:
    """How long and how often a service is asked.

    A service that asks for a longer wait is not asked again: the stage ends with an error, and the
    orchestrator starts it again later.
    """

    timeout: float = 30.0  # seconds for one answer
    attempts: int = 4
    longest_wait: float = 120.0  # seconds before the next attempt

    def retrying(self) -> Retrying:
        """Return what calls a function until it no longer raises Unavailable: `retrying()(ask, address)`.

        Raises the last Unavailable after `attempts`, or at once when it asks for more than `longest_wait`.
        """
        return Retrying(
            retry=retry_if_exception(self._again),
            stop=stop_after_attempt(self.attempts),
            wait=_wait,
            reraise=True,
        )

    def _again(self, error: BaseException) -> bool:
        return isinstance(error, Unavailable) and error.retry_after <= self.longest_wait


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(BACKOFF(state), error.retry_after if isinstance(error, Unavailable) else 0.0)
