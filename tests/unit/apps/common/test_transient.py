"""Which failures may pass, and how long a service is waited for, on the real HTTP libraries."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from curl_cffi import CurlError
from curl_cffi import requests as curl

from apps.common.transient import Patience, Unavailable, may_pass, retry_after
from tests.support.http_server import local_server


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 501, 502, 503, 504, 520, 599])
def test_answers_that_may_pass(status):
    assert may_pass(status)


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 402, 403, 404, 405, 410, 413, 422, 451])
def test_answers_that_stay(status):
    assert not may_pass(status)


def garbled(request):
    if request.target == "/loop":
        return 302, "", {"location": "/loop"}
    return 200, "not gzip", {"content-encoding": "gzip"}


@pytest.mark.parametrize("path", ["/loop", "/gzip"])
def test_redirect_loops_and_broken_encodings_may_pass(path):
    with local_server(garbled) as (address, _), httpx.Client(trust_env=False) as client:
        with pytest.raises(httpx.RequestError) as caught:
            client.get(address + path, follow_redirects=True)
        assert may_pass(caught.value)
        with pytest.raises(CurlError) as caught:
            curl.get(address + path)
        assert may_pass(caught.value)


@pytest.mark.parametrize("address", ["http:/nowhere:port", "http://[::1/", "nosuch://127.0.0.1/"])
def test_an_address_that_is_none_stays(address):
    for get, error in (
        (httpx.get, (httpx.InvalidURL, httpx.RequestError)),
        (curl.get, CurlError),
    ):
        with pytest.raises(error) as caught:
            get(address)
        assert not may_pass(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("", 0), ("7", 7), (" 120 ", 120), ("1.5", 1.5), ("-3", 0), ("-1.5", 0), ("soon", 0)],
)
def test_retry_after_in_seconds(header, seconds):
    assert retry_after(header) == seconds


@pytest.mark.parametrize("header", ["9" * 400, f"{'9' * 400}.0", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_whoever_asks_for_years_is_not_asked_again(header):
    assert retry_after(header) > 365 * 86400


def test_retry_after_as_an_http_date():
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    assert 3590 < retry_after(format_datetime(in_an_hour, usegmt=True)) <= 3600
    assert 3590 < retry_after(in_an_hour.strftime("%A, %d-%b-%y %H:%M:%S GMT")) <= 3600  # as of old
    assert 3590 < retry_after(in_an_hour.strftime("%a %b %e %H:%M:%S %Y")) <= 3600
    assert retry_after(format_datetime(in_an_hour - timedelta(hours=2), usegmt=True)) == 0
    assert retry_after("Wed, 99 Oct 99999 07:28:00 GMT") == 0


def failing(times: int, asked: float, calls: list[int]):
    def ask() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise Unavailable("busy", asked)
        return "answer"

    return ask


def test_attempts_wait_as_long_as_asked(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    assert Patience(attempts=3).retrying()(failing(2, 7.0, [])) == "answer"
    assert slept == [7.0, 7.0]


def test_it_ends_after_the_last_attempt_and_at_once_when_asked_for_too_long(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    for asked, expected in ((0.0, 3), (121.0, 1)):
        calls: list[int] = []
        with pytest.raises(Unavailable, match="busy"):
            Patience(attempts=3).retrying()(failing(9, asked, calls))
        assert len(calls) == expected
