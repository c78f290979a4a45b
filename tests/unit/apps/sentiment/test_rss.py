"""Headlines from RSS, against a local HTTP server."""

import os
from pathlib import Path

import pytest

from tests.support.http_server import Answer, Request, local_server
from tests.unit.apps.support.batch_files import KEY, read_sentiment, write_appearances
from tests.unit.apps.support.stage_process import run_sentiment

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><title>Great win for {symbol}, strong growth</title></item>
<item><title>Great win for {symbol}, strong growth</title></item>
<item><title>  </title></item>
<item><title>{symbol} &amp; partners celebrate success</title></item>
</channel></rss>"""


def rss(url: str) -> dict[str, str]:
    return {"SENTIMENT_HEADLINES": "rss", "SENTIMENT_RSS_URL": url + "/feed?s={symbol}"}


def test_rss_titles_are_rated_once_each(tmp_path: Path) -> None:
    write_appearances(tmp_path, on_lists={"BRK&B": ["trend", "bargain"]})
    with local_server(lambda _: (200, FEED.format(symbol="BRK"))) as (url, received):
        done = run_sentiment(tmp_path, **rss(url))
    assert done.returncode == 0, done.stderr
    assert received[0].target == "/feed?s=BRK%26B"
    entry = read_sentiment(tmp_path)["BRK&B"]
    assert entry["headlines"] == 2
    assert entry["sentiment"] > 0.5


def test_no_feed_and_empty_feed_mean_no_headlines(tmp_path: Path) -> None:
    write_appearances(tmp_path, on_lists={"GONE": ["trend", "bargain"], "QUIET": ["trend", "bargain"]})

    def answer(request: Request) -> Answer:
        return (
            (404, "nothing here")
            if "GONE" in request.target
            else (200, '<rss version="2.0"><channel/></rss>')
        )

    with local_server(answer) as (url, _):
        done = run_sentiment(tmp_path, **rss(url))
    assert done.returncode == 0, done.stderr
    assert {entry["headlines"] for entry in read_sentiment(tmp_path).values()} == {0}
    assert '"without_headlines": 2' in done.stdout


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ((200, "<html><body>Please accept our cookies</body></html>"), os.EX_SOFTWARE, "no RSS or Atom feed"),
        ((403, "forbidden"), os.EX_CONFIG, "HTTP 403"),
        ((400, "bad"), os.EX_CONFIG, "HTTP 400"),
        ((500, "oops"), os.EX_UNAVAILABLE, "HTTP 500"),
    ],
)
def test_what_all_feeds_have_in_common_ends_the_batch(
    tmp_path: Path, answer: Answer, status: int, says: str
) -> None:
    write_appearances(tmp_path)
    with local_server(lambda _: answer) as (url, _):
        done = run_sentiment(tmp_path, **rss(url))
    assert done.returncode == status
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "company_reports" / KEY).exists()
