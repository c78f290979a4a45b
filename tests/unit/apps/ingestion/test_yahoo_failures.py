"""Answers of Yahoo that fail: waited for, left out, or named as what they are."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from apps.common.transient import Patience
from apps.ingestion.sources.yahoo_session import CHART, PatientSession, Refused
from tests.unit.apps.support.yahoo_server import Answer
from tests.unit.apps.support.yahoo_stage import FIRST, SECOND, closes, good, ingest, listing


def failing(answer: Answer, symbol: str = "AAPL", times: int = 9999):
    """Return what a server does that fails the first `times` it is asked for a symbol."""
    return lambda asked, nth: answer if asked == symbol and nth <= times else None


DOWN = [
    (429, "Too Many Requests", {}),
    (429, "Too Many Requests", {"retry-after": "7"}),
    (503, "", {}),
    (408, "", {}),
    (200, "<html>Will be right back</html>", {"content-type": "text/html"}),
    (200, '{"chart": {"result": [{"meta"', {}),
    (200, "", {}),
    (204, "", {}),
    (409, "", {}),
    (425, "", {}),
    (200, '{"chart": {"result": null, "error": {"code": "Internal Server Error"}}}', {}),
    (200, '{"chart": {"result": null, "error": "oops"}}', {}),
    (200, "not gzip", {"content-encoding": "gzip"}),
    (302, "", {"location": "https://query2.finance.yahoo.com/v8/finance/chart/AAPL"}),
]


@pytest.mark.parametrize("answer", DOWN, ids=lambda answer: f"{answer[0]} {answer[1][:20]}")
def test_what_may_pass_is_asked_again_and_does_not_end_the_batch(tmp_path, server, answer):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.instead = failing(answer, times=2 if answer[0] != 302 else 60)
    assert good(tmp_path, server)["symbols"] == 2
    server.asked.clear()
    server.instead = failing(answer)
    got = good(tmp_path, server, SECOND)
    assert (got["behind"], got["missing_unavailable"]) == (1, 1)
    assert closes(tmp_path, "AAPL", SECOND) == closes(tmp_path, "AAPL")


def test_retry_after_is_waited_for_in_seconds_and_as_a_date(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    for batch, header, least in ((FIRST, "7", 7), (SECOND, moment, 20)):
        server.asked.clear()
        server.instead = failing((429, "", {"retry-after": header}), times=1)
        done = ingest(tmp_path, server, batch)
        assert done.returncode == 0, done.stderr
        assert least <= max(done.slept) <= 60


def test_when_yahoo_is_out_of_service_the_batch_ends_soon_and_may_be_tried_again(tmp_path, server):
    names = [f"S{number:03}" for number in range(300)]
    server.instead = lambda symbol, nth: (429, "", {"retry-after": "3600"})
    done = ingest(tmp_path, server, symbols=",".join(names))
    assert done.returncode == 69
    assert (
        "Yahoo has no prices for 300 of 300 symbols (S000, S001, S002, S003, S004); try again later"
        in done.stderr
    )
    assert "HTTP 429 and asks for 3600 s" in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(server.asked) < 20
    assert max(done.slept, default=0) < 3600


def test_who_is_refused_is_told_so(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.instead = lambda symbol, nth: (403, "Forbidden", {})
    done = ingest(tmp_path, server)
    assert done.returncode == 78
    assert "Yahoo refuses to serve this address (HTTP 403); check the proxy" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_symbol_that_is_not_there_is_so_whatever_the_status(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    fault = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    server.instead = failing((200, json.dumps({"chart": {"result": None, "error": fault}}), {}))
    done = ingest(tmp_path, server)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Yahoo does not have AAPL (HTTP 200: No data found" in done.stdout
    assert done.slept == []


@pytest.mark.parametrize("address", ["http://[::1", "http://query2.finance.yahoo.com:port", "nosuch://yahoo"])
def test_a_malformed_address_is_not_asked_again(address):
    with pytest.raises(Refused) as caught:  # curl_cffi has two errors for it, before 0.17 and since
        PatientSession(Patience(attempts=9, longest_wait=1)).request("GET", f"{address}{CHART}AAPL")
    assert caught.value.us


@pytest.mark.parametrize("proxy", ["moon://me:s3cret@here", "http://me:s3cret@[here"])
def test_a_proxy_that_is_none_is_a_bad_setting(tmp_path, server, proxy):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.settings["HTTPS_PROXY"] = proxy
    done = ingest(tmp_path, server)
    assert done.returncode == 78
    assert "HTTPS_PROXY or ALL_PROXY is not the address of a proxy" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    assert max(done.slept, default=0) == 0


def test_a_certificate_that_is_not_trusted_is_named(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    del server.settings["CURL_CA_BUNDLE"]
    done = ingest(tmp_path, server, INGESTION_ATTEMPTS="1")
    assert done.returncode == 69
    assert "CertificateVerifyError; see CURL_CA_BUNDLE" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_answer_that_takes_too_long_is_given_up(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}

    def slow(symbol: str, nth: int) -> None:
        if symbol == "AAPL":
            server.stopped.wait(60)

    server.instead = slow
    limits = {"INGESTION_TIMEOUT_SECONDS": "0.5", "INGESTION_ATTEMPTS": "1"}
    got = good(tmp_path, server, **limits)
    assert (got["symbols"], got["missing_unavailable"]) == (1, 1)


def test_hosts_of_cookies_that_do_not_answer_are_waited_for_once(tmp_path, server):
    server.listings = {f"S{number}": listing() for number in range(20)}
    server.silent = {"fc.yahoo.com", "guce.yahoo.com"}
    server.anonymous = True
    assert good(tmp_path, server, INGESTION_TIMEOUT_SECONDS="1")["symbols"] == 20
    assert sorted(server.waited_for) == sorted(server.silent)


@pytest.mark.parametrize(
    "body", ['{"chart": {"result": [{}], "error": null}}', '{"chart": {"result": [7], "error": null}}', "[]"]
)
def test_an_answer_that_is_nonsense_is_that_symbols(tmp_path, server, body):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.instead = failing((200, body, {}))
    got = good(tmp_path, server)
    assert (got["symbols"], got["left_out"]) == (1, 1)
