"""The HTTP session that yfinance uses: it repeats requests, and tells refusals from missing answers.

yfinance itself asks once, ignores Retry-After, and treats an unreadable answer as a symbol without prices.
"""

import logging
import threading
import time
import warnings
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yfinance
from curl_cffi import CurlError, requests
from curl_cffi.requests.exceptions import SSLError
from yfinance.cache import get_cookie_cache, get_isin_cache, get_tz_cache

from apps.common.transient import Patience, Unavailable, may_pass, retry_after

CHART = "/v8/finance/chart/"  # yfinance handles cookies and crumbs itself, and works without them
UNWELCOME = frozenset({401, 402, 403, 407, 451})  # the refusal is about our address, not about the symbol
NO_PROXY = "Unsupported proxy"  # curl's code for it is also that of a proxy which does not answer
NOT_THERE = ("Not Found", "Bad Request")  # codes of a chart's error, whatever the status
LONGEST = 120


class Refused(Exception):
    """Yahoo refuses this request for good; `us`: because of our address."""

    def __init__(self, message: str, us: bool) -> None:
        super().__init__(message)
        self.us = us


class PatientSession(requests.Session[requests.Response]):
    """Asks for charts again while Yahoo does not answer. Raises Refused or Unavailable."""

    def __init__(self, patience: Patience) -> None:
        super().__init__(impersonate="chrome")  # as yfinance's own session
        self._patience = patience
        self._local = threading.local()
        self._silent: dict[str, CurlError] = {}  # hosts of cookies that do not answer
        self._not_before = 0.0  # the moment before which Yahoo asks not to be called

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request; see curl_cffi."""
        if CHART not in url:
            return self._cookie(method, url, *args, **kwargs)
        return self._patience.retrying()(self._ask, method, url, *args, **kwargs)

    def _cookie(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        """Request something other than a chart; wait for a silent host once, not for each symbol."""
        host = str(urlsplit(url).hostname)
        if host in self._silent:
            raise self._silent[host]
        try:
            return super().request(method, url, *args, **(kwargs | {"timeout": self._patience.timeout}))
        except CurlError as error:
            self._silent[host] = error
            raise

    def _ask(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        if (pause := self._not_before - time.monotonic()) > 0:
            time.sleep(pause)  # another thread has been asked to wait
        try:
            response = super().request(method, url, *args, **(kwargs | {"timeout": self._patience.timeout}))
        except CurlError as error:
            if NO_PROXY in str(error):  # its text repeats the proxy's password
                raise Refused("HTTPS_PROXY or ALL_PROXY is not the address of a proxy", us=True) from error
            if not may_pass(error):
                raise Refused(f"{type(error).__name__}: {error}"[:LONGEST], us=True) from error
            remedy = "; see CURL_CA_BUNDLE" if isinstance(error, SSLError) else ""
            raise Unavailable(f"{urlsplit(url).hostname}: {type(error).__name__}{remedy}") from error
        host, status = urlsplit(url).hostname, response.status_code
        if may_pass(status):
            wait = retry_after(response.headers.get("retry-after"))
            if wait <= self._patience.longest_wait:
                self._not_before = max(self._not_before, time.monotonic() + wait)
            asked = f" and asks for {wait:.0f} s" if wait else ""
            raise Unavailable(f"{host} answered HTTP {status}{asked}", wait)
        if str(urlsplit(response.url).hostname).endswith("consent.yahoo.com"):
            return response  # yfinance accepts it
        if status in UNWELCOME:
            refused = Refused(f"HTTP {status}", us=True)
            if getattr(self._local, "refused", None) == url:
                raise refused
            self._local.refused = url  # yfinance asks once more, with another cookie and crumb
            return response
        self._local.refused = None
        return self._read(response, host)

    def _read(self, response: Any, host: str | None) -> Any:
        """Return a response that holds a chart, or the reason why there is none."""
        refused = response.status_code >= HTTPStatus.BAD_REQUEST
        try:
            fault = response.json()["chart"]["error"]
        except (ValueError, KeyError, TypeError) as error:
            if refused:
                raise Refused(f"HTTP {response.status_code}", us=False) from error
            raise Unavailable(f"{host} answered with something other than a chart") from error
        if fault or refused:
            code, reason = (
                (fault.get("code"), fault.get("description")) if isinstance(fault, dict) else (None, fault)
            )
            text = f"HTTP {response.status_code}: {reason or code or ''}"[:LONGEST]
            if refused or code in NOT_THERE:
                raise Refused(text, us=False)
            raise Unavailable(f"{host} answered with an error, {text}")
        return response


def opened(patience: Patience, cache: Path) -> PatientSession:
    """Return a session for yfinance, which keeps cookies and the time zones of symbols in `cache`."""
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # its errors are reported here, symbol by symbol
    warnings.filterwarnings("ignore", module="yfinance")  # about its use of pandas
    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(str(cache))
    # opened by one thread, and kept open: threads that open a database at the same time may find it locked
    for kept in (get_tz_cache(), get_cookie_cache(), get_isin_cache()):
        kept.lookup("")
    return PatientSession(patience)
