"""A local Yahoo Finance for the installed yfinance: an HTTPS proxy that answers for all of Yahoo's hosts.

Nothing of the library or of the stage is replaced: the environment names the proxy and its certificate.
"""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.http_server import QuietHandler, serving

CHART = "/v8/finance/chart/"
CRUMB = "Edge.Crumb"
Answer = tuple[int, bytes | str, dict[str, str]]
Bar = tuple[date | datetime, float | None]


@dataclass
class Listing:
    """What Yahoo has of one symbol: closes adjusted for splits, in order; None is a day without a close."""

    bars: list[Bar]
    timezone: str = "America/New_York"
    dividends: dict[date, float] = field(default_factory=dict)  # cash a share, by ex-day
    splits: dict[date, tuple[int, int]] = field(default_factory=dict)  # new shares for old ones
    session: tuple[datetime, datetime] | None = None  # the present one

    def chart(self, symbol: str, first: float, end: float) -> dict:
        """Return the chart endpoint's answer for the moments from `first` up to `end`."""
        zone = ZoneInfo(self.timezone)
        adjusted = self._adjusted()
        rows = [
            (_moment(day, zone), close, after)
            for (day, close), after in zip(self.bars, adjusted, strict=True)
            if first <= _moment(day, zone) < end or isinstance(day, datetime)
        ]
        closes = [close for _, close, _ in rows]
        quote = dict.fromkeys(("open", "high", "low", "close"), closes)
        quote["volume"] = [None if close is None else 1000 for close in closes]
        opens, ends = self.session or (
            datetime(2020, 1, 2, 15, tzinfo=UTC),
            datetime(2020, 1, 2, 21, tzinfo=UTC),
        )
        regular = {
            "start": int(opens.timestamp()),
            "end": int(ends.timestamp()),
            "gmtoffset": 0,
            "timezone": "X",
        }
        meta = {"symbol": symbol, "currency": "USD", "instrumentType": "EQUITY", "priceHint": 2}
        meta |= {"exchangeTimezoneName": self.timezone, "validRanges": ["1d", "5d", "max"], "gmtoffset": 0}
        meta |= {"currentTradingPeriod": {name: dict(regular) for name in ("pre", "regular", "post")}}
        events: dict[str, dict] = {"dividends": {}, "splits": {}}
        for day, amount in self.dividends.items():
            stamp = _moment(day, zone)
            if first <= stamp < end:
                events["dividends"][str(stamp)] = {"amount": amount, "date": stamp}
        for day, (new, old) in self.splits.items():
            stamp = _moment(day, zone)
            if first <= stamp < end:
                split = {"date": stamp, "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}
                events["splits"][str(stamp)] = split
        result: dict = {"meta": meta, "indicators": {"quote": [quote if rows else {}]}}
        if rows:
            result["timestamp"] = [stamp for stamp, _, _ in rows]
            result["indicators"]["adjclose"] = [{"adjclose": [after for _, _, after in rows]}]
        if events := {kind: some for kind, some in events.items() if some}:
            result["events"] = events
        return {"chart": {"result": [result], "error": None}}

    def _adjusted(self) -> list[float | None]:
        """Return the closes before each ex-day lowered by its dividend, as Yahoo does."""
        adjusted = [close for _, close in self.bars]
        for ex_day, amount in self.dividends.items():
            before = [
                i for i, (day, close) in enumerate(self.bars) if _day(day) < ex_day and close is not None
            ]
            if before and any(_day(day) >= ex_day for day, _ in self.bars):
                factor = 1 - amount / (self.bars[before[-1]][1] or 1)
                for i in before:
                    adjusted[i] = (adjusted[i] or 0) * factor
        return adjusted


class Yahoo:
    """The server's state: listings by symbol, answers that come instead, and what it was asked."""

    def __init__(self) -> None:
        self.listings: dict[str, Listing] = {}
        self.anonymous = False  # serves charts without a crumb, as Yahoo does at times
        self.silent: set[str] = set()  # hosts that never answer
        self.waited_for: list[str] = []  # those of them that were asked
        self.instead: Callable[[str, int], Answer | None] = lambda symbol, nth: None
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.settings: dict[str, str] = {}
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def since(self, symbol: str) -> list[date]:
        """Return the first day of each history that was asked for."""
        zone = ZoneInfo(self.listings[symbol].timezone)
        starts = [
            int(query["period1"]) for asked, query in self.asked if asked == symbol and "period1" in query
        ]
        return [datetime.fromtimestamp(start, zone).date() for start in starts]

    def answer(self, host: str, target: str) -> Answer:
        """Return status, body and headers for a GET."""
        if host == "fc.yahoo.com":
            expires = "Domain=.yahoo.com; Path=/; Secure; Expires=Fri, 31 Dec 2100 23:59:59 GMT"
            return 404, "", {"set-cookie": f"A3=d=cookie; {expires}"}
        parts = urlsplit(target)
        if parts.path == "/v1/test/getcrumb":
            return 200, CRUMB, {}
        if not parts.path.startswith(CHART):
            return 200, "<html>", {}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return self._chart(unquote(parts.path.removeprefix(CHART)), query)

    def _chart(self, symbol: str, query: dict[str, str]) -> Answer:
        with self.lock:
            self.asked.append((symbol, query))
            nth = sum(asked == symbol for asked, _ in self.asked)
        if (instead := self.instead(symbol, nth)) is not None:
            return instead
        if query.get("crumb") != CRUMB and not self.anonymous:
            fault = {"code": "Unauthorized", "description": "Invalid Crumb"}
            return 401, json.dumps({"finance": {"result": None, "error": fault}}), {}
        if symbol not in self.listings:
            return unknown()
        span = (float(query.get("period1", 0)), float(query.get("period2", 1e12)))
        return 200, json.dumps(self.listings[symbol].chart(symbol, *span)), {}


def unknown() -> Answer:
    """Return Yahoo's answer about a symbol that it does not have."""
    fault = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    return 404, json.dumps({"chart": {"result": None, "error": fault}}), {}


def weekdays(first: date, last: date) -> list[date]:
    """Return the days from Monday to Friday."""
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5]


@contextmanager
def yahoo(folder: Path) -> Iterator[Yahoo]:
    """Run a local Yahoo; its `settings` lead the stage to it."""
    state = Yahoo()
    context, authority = certificate(folder, "yahoo.com", "*.yahoo.com", "*.finance.yahoo.com")

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:  # noqa: N802  as the library calls it
            self.host = self.path.split(":")[0]
            self.send_response(200)
            self.end_headers()
            self.connection = self.request = context.wrap_socket(self.connection, server_side=True)
            self.setup()

        def do_GET(self) -> None:  # noqa: N802
            if (host := getattr(self, "host", "")) in state.silent:
                state.waited_for.append(host)
                state.stopped.wait(60)
            self.reply(*state.answer(host, self.path))

        do_POST = do_GET  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: socket.socket, client_address: object) -> None:
            """Let clients hang up: what they make of it is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    with serving(server) as address:
        state.settings = {
            "INGESTION_SOURCE": "yahoo",
            "HTTPS_PROXY": address,
            "CURL_CA_BUNDLE": str(authority),
        }
        try:
            yield state
        finally:
            state.stopped.set()


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context for some hosts, and the file of the authority to trust: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a local server")])
    hosts = [x509.DNSName(host) for host in names]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    chain, authority = folder / "server.pem", folder / "authority.pem"
    chain.write_bytes(private + public)
    authority.write_bytes(public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.set_alpn_protocols(["http/1.1"])
    return context, authority


def _day(day: date | datetime) -> date:
    return day.date() if isinstance(day, datetime) else day


def _moment(day: date | datetime, zone: ZoneInfo) -> int:
    """Return when the bar of a day begins: at the exchange's opening, or at the given moment."""
    opening = day if isinstance(day, datetime) else datetime.combine(day, time(9, 30), zone)
    return int(opening.timestamp())
