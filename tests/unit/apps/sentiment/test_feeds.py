"""What servers really send instead of a feed, each from a local server, and how long they are waited for."""

import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.support.http_server import Answer, Request, local_server
from tests.unit.apps.support.batch_files import read_sentiment, write_appearances
from tests.unit.apps.support.feeds import BOTH, GREAT, KEY, MOMENT, TERRIBLE, analyse, rss
from tests.unit.apps.support.stage_process import result
from tests.unit.apps.support.yahoo_server import certificate


@pytest.mark.parametrize(
    ("answer", "reason", "says"),
    [
        ((200, ""), "feed_empty", "answered HTTP 200 with nothing in it"),
        ((204, ""), "feed_empty", "answered HTTP 204 with nothing in it"),
        ((200, " \n"), "feed_empty", "with nothing in it"),
        ((404, "not found"), "feed_missing", "answered HTTP 404"),
        ((410, "gone"), "feed_missing", "answered HTTP 410"),
        ((400, "no such symbol"), "feed_refused", "answered HTTP 400"),
        ((403, "no"), "feed_refused", "answered HTTP 403"),
        ((451, "no"), "feed_refused", "answered HTTP 451"),
        ((200, "<html><body>Please accept our cookies"), "feed_unreadable", "no RSS or Atom feed"),
        ((200, "service unavailable"), "feed_unreadable", "no RSS or Atom feed"),
        ((200, rss(("Great", MOMENT))[:-40]), "feed_unreadable", "breaks off in the middle"),
        ((200, '{"error": "quota"}'), "feed_unreadable", "not a whole JSON Feed"),
        ((200, '{"items": [{"title": "Gre'), "feed_unreadable", "not a whole JSON Feed"),
        ((200, b"\xff\xfe\x00\x01\x02"), "feed_unreadable", "no RSS or Atom feed"),
        ((200, b"no gzip", {"content-encoding": "gzip"}), "feed_unavailable", "DecodingError"),
        ((503, "busy"), "feed_unavailable", "answered HTTP 503"),
        ((302, "", {"location": "/feed?s=BAD"}), "feed_unavailable", "TooManyRedirects"),
        ((302, "", {"location": "http://[bad"}), "feed_unavailable", "did not answer"),
        ((302, "", {"location": "moon://here"}), "feed_refused", "leads to an address that cannot be asked"),
        ((302, ""), "feed_refused", "answered HTTP 302"),
        ((408, ""), "feed_unavailable", "answered HTTP 408"),
        ((409, ""), "feed_unavailable", "answered HTTP 409"),
        ((425, ""), "feed_unavailable", "answered HTTP 425"),
    ],
)
def test_one_symbol_never_ends_a_batch(tmp_path: Path, answer: Answer, reason: str, says: str) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    good = rss((GREAT.format("GOOD"), MOMENT))
    with local_server(lambda request: answer if "BAD" in request.target else (200, good)) as (url, _):
        done = analyse(tmp_path, url)
    assert (done.returncode, done.stderr) == (0, "")
    entries = read_sentiment(tmp_path, KEY)
    assert entries["GOOD"]["sentiment"] > 0.5
    assert (entries["BAD"]["sentiment"], entries["BAD"]["headlines"]) == (None, 0)
    (line,) = [line for line in done.stdout.splitlines() if "warning" in line]
    assert "BAD has no headlines: SENTIMENT_RSS_URL" in line
    assert url.removeprefix("http://").partition(":")[0] in line
    assert says in line
    details = result("sentiment", tmp_path, KEY)["details"]
    assert details["without_headlines"] == details["unrated"] == details[f"unrated_{reason}"] == 1


@pytest.mark.parametrize("answer", [(200, ""), (204, ""), (404, ""), (410, "")])
def test_a_market_without_news_is_no_error(tmp_path: Path, answer: Answer) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    with local_server(lambda _: answer) as (url, _):
        assert analyse(tmp_path, url).returncode == 0
    assert (
        result("sentiment", tmp_path, KEY)["details"]["without_headlines"] == 2
    )  # which the contract blocks


def test_an_address_shows_no_key(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    with local_server(lambda _: (200, "")) as (url, _):
        template = url.replace("http://", "http://me:s3cret@") + "/feed?apikey=s3cret&s={symbol}"
        done = analyse(tmp_path, url, SENTIMENT_RSS_URL=template)
    assert "/feed?apikey=…&s=BAD" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("header", "slept"),
    [
        ("7", [7]),
        ("1.5", [1.5]),
        ("0", [0.5]),
        ("-7", [0.5]),
        ("soon", [0.5]),
        ("Wed, 21 Oct 2015 07:28:00 GMT", [0.5]),
    ],
)
def test_a_server_is_left_alone_for_as_long_as_it_asks(
    tmp_path: Path, header: str, slept: list[float]
) -> None:
    write_appearances(tmp_path, KEY, {"ONE": ["trend", "bargain"]})
    answers = iter([(429, "", {"Retry-After": header}), (200, rss((GREAT, MOMENT)))])
    with local_server(lambda _: next(answers)) as (url, _):
        done = analyse(tmp_path, url)
    assert done.returncode == 0
    assert done.slept == slept


@pytest.mark.parametrize("header", ["9" * 30, "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_server_that_asks_for_years_is_not_waited_for(tmp_path: Path, header: str) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    busy, good = (429, "", {"Retry-After": header}), (200, rss((GREAT, MOMENT)))
    with local_server(lambda request: busy if "BAD" in request.target else good) as (url, received):
        done = analyse(tmp_path, url)
    assert (done.returncode, done.slept, len(received)) == (0, [], 2)
    assert read_sentiment(tmp_path, KEY)["BAD"]["unrated"] == "feed_unavailable"


def test_a_date_in_retry_after_is_waited_for(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, {"ONE": ["trend", "bargain"]})
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    answers = iter([(429, "", {"Retry-After": then}), (200, rss((GREAT, MOMENT)))])
    with local_server(lambda _: next(answers)) as (url, _):
        done = analyse(tmp_path, url)
    assert done.returncode == 0
    (slept,) = done.slept
    assert 0.5 < slept <= 60


def test_a_server_that_does_not_answer_is_not_waited_for_longer_than_the_setting(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, {"ONE": ["trend", "bargain"]})
    slow = {"content-length": "100"}  # of which nothing comes
    with local_server(lambda _: (200, b"", slow)) as (url, _):
        done = analyse(tmp_path, url, SENTIMENT_TIMEOUT_SECONDS="0.2", SENTIMENT_ATTEMPTS="1")
    assert done.returncode == os.EX_UNAVAILABLE
    assert "did not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_certificate_that_is_not_trusted_is_named_and_one_that_is_serves(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    context, authority = certificate(tmp_path, "localhost")
    with local_server(lambda _: (200, rss((GREAT, MOMENT))), context) as (url, _):
        address = url.replace("http://127.0.0.1", "https://localhost")
        done = analyse(tmp_path, address, SENTIMENT_ATTEMPTS="1")
        assert done.returncode == os.EX_UNAVAILABLE
        assert "localhost has a certificate that is not trusted; see SSL_CERT_FILE" in done.stderr
        assert analyse(tmp_path, address, SSL_CERT_FILE=str(authority)).returncode == 0


def test_a_proxy_that_is_none_is_named(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    done = analyse(tmp_path, "http://feeds.example", HTTP_PROXY="moon://here")
    assert done.returncode == os.EX_CONFIG
    assert "HTTP_PROXY" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_users_proxy_serves_calls_to_the_outside(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    with local_server(lambda _: (200, rss((GREAT, MOMENT)))) as (url, received):
        done = analyse(tmp_path, "http://feeds.example", HTTP_PROXY=url, NO_PROXY="localhost,127.0.0.1,api")
    assert done.returncode == 0
    assert {request.target for request in received} == {
        f"http://feeds.example/feed?s={name}" for name in BOTH
    }


def test_a_later_run_sees_what_the_batch_saw(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, BOTH)
    answers = {"BAD": (410, ""), "GOOD": (200, rss((GREAT, None)))}

    def answer(request: Request) -> Answer:
        return answers[request.target.rpartition("=")[2]]

    with local_server(answer) as (url, received):
        assert analyse(tmp_path, url).returncode == 0
        before = read_sentiment(tmp_path, KEY)["GOOD"]
        answers |= {"BAD": (200, rss((GREAT, None))), "GOOD": (200, rss((TERRIBLE, None)))}
        assert analyse(tmp_path, url).returncode == 0
        assert read_sentiment(tmp_path, KEY)["GOOD"] == before
        assert read_sentiment(tmp_path, KEY)["BAD"]["headlines"] == 1  # what was missing is asked for again
        assert len(received) == 3
        other = {"SENTIMENT_RSS_URL": url + "/other?s={symbol}"}
        assert analyse(tmp_path, url, **other).returncode == 0
    assert read_sentiment(tmp_path, KEY)["GOOD"]["sentiment"] < -0.5


def test_most_feeds_that_do_not_answer_end_the_batch_and_the_others_are_kept(tmp_path: Path) -> None:
    write_appearances(tmp_path, KEY, {name: ["trend", "bargain"] for name in ("A", "B", "C", "D", "E")})
    good = rss((GREAT, MOMENT))
    with local_server(lambda request: (200, good) if "=A" in request.target else (500, "")) as (
        url,
        received,
    ):
        done = analyse(tmp_path, url, SENTIMENT_ATTEMPTS="1", SENTIMENT_IN_FLIGHT="1")
        assert done.returncode == os.EX_UNAVAILABLE
        assert "B has no headlines" in done.stderr
        assert "(and 2 more of 5 symbols)" in done.stderr
        assert not (tmp_path / "company_reports" / KEY / "sentiment.json").exists()
        analyse(tmp_path, url, SENTIMENT_ATTEMPTS="1", SENTIMENT_IN_FLIGHT="1")
    assert len([request for request in received if "=A" in request.target]) == 1
