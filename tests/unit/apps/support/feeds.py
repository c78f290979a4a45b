"""Feeds of headlines, and batches that read them from a local server."""

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from tests.support.http_server import local_server
from tests.unit.apps.support.batch_files import read_sentiment, write_appearances
from tests.unit.apps.support.stage_process import Ended, run_sentiment

KEY = "2026-11-27T06:00:00"
MOMENT = datetime.fromisoformat(KEY).replace(tzinfo=UTC)
BOTH = {"BAD": ["trend", "bargain"], "GOOD": ["trend", "bargain"]}
GREAT, TERRIBLE = "Great success, excellent profit, {} wins", "Terrible loss, awful crash, {} fails"


def rss(*entries: tuple[str, datetime | None]) -> str:
    """Return a feed of titles and when they were published."""
    dated = [
        f"<item><title>{title}</title>{f'<pubDate>{format_datetime(when)}</pubDate>' if when else ''}</item>"
        for title, when in entries
    ]
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{"".join(dated)}</channel></rss>'


def analyse(data: Path, url: str, **settings: str) -> Ended:
    own = {"SENTIMENT_HEADLINES": "rss", "SENTIMENT_RSS_URL": url + "/feed?s={symbol}"}
    return run_sentiment(data, KEY, RANKALPHA_RESULT=str(data / f"sentiment.{KEY}.json"), **own | settings)


def of_one(data: Path, feed: str | bytes, headers: dict[str, str] | None = None, **settings: str) -> dict:
    """Return the entry of the only symbol, whose feed is `feed`."""
    write_appearances(data, KEY, {"ONE": ["trend", "bargain"]})
    with local_server(lambda _: (200, feed, headers or {})) as (url, _):
        done = analyse(data, url, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return read_sentiment(data, KEY)["ONE"]
