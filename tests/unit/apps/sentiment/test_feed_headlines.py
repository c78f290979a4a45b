"""Which headlines of a feed count, in feeds of all kinds, encodings and languages."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.apps.support.feeds import GREAT, KEY, MOMENT, TERRIBLE, of_one, rss
from tests.unit.apps.support.stage_process import result


def test_the_newest_count_wherever_they_stand(tmp_path: Path) -> None:
    old = [(TERRIBLE.format(day), MOMENT - timedelta(days=1, hours=day)) for day in range(25)]
    new = [(GREAT.format(hour), MOMENT - timedelta(hours=hour)) for hour in range(20)]
    entry = of_one(tmp_path, rss(*old, *new))
    assert entry["headlines"] == 20
    assert entry["sentiment"] > 0.5


@pytest.mark.parametrize(
    ("when", "counts"),
    [
        (MOMENT, True),
        (MOMENT + timedelta(seconds=1), False),
        (MOMENT + timedelta(days=30), False),
        (MOMENT - timedelta(days=7), True),
        (MOMENT - timedelta(days=7, seconds=1), False),
        (datetime(1, 1, 1, tzinfo=UTC), False),
        (None, True),  # nobody knows
    ],
)
def test_the_batchs_moment_decides_what_is_known_and_what_is_stale(
    tmp_path: Path, when: datetime | None, counts: bool
) -> None:
    assert of_one(tmp_path, rss((GREAT, when)))["headlines"] == int(counts)


def test_the_age_is_a_setting(tmp_path: Path) -> None:
    feed = rss((GREAT, MOMENT - timedelta(days=2)))
    assert of_one(tmp_path, feed, SENTIMENT_HEADLINES_MAX_AGE_DAYS="1")["headlines"] == 0


def test_times_are_compared_in_utc(tmp_path: Path) -> None:
    later = "<pubDate>Fri, 27 Nov 2026 06:30:00 +0000</pubDate>"
    feed = rss((GREAT, None)).replace("</item>", f"{later}</item>")
    assert of_one(tmp_path / "a", feed)["headlines"] == 0
    assert of_one(tmp_path / "b", feed.replace("+0000", "+0100"))["headlines"] == 1


DATES = [  # of five o'clock and of seven; the batch is of six
    ("Fri, 27 Nov 2026 05:00:00", "Fri, 27 Nov 2026 07:00:00"),  # no zone
    ("Fr, 27 Nov 2026 06:00:00 +0100", "Fr, 27 Nov 2026 08:00:00 +0100"),
    ("Fri, 27 Nov 2026 00:00:00 EST", "Fri, 27 Nov 2026 02:00:00 EST"),
    ("2026-11-27T05:00:00", "2026-11-27 07:00:00"),
    ("2026-11-27T06:00:00+01:00", "2026-11-27T08:00:00+01:00"),
    ("1795755600", "1795762800"),
    ("1795755600000", "1795762800000"),
]


@pytest.mark.parametrize(("early", "late"), DATES)
def test_dates_of_all_kinds_are_read(tmp_path: Path, early: str, late: str) -> None:
    feed = rss((GREAT, None), (TERRIBLE, None)).split("</item>")
    both = "</item>".join([f"{feed[0]}<pubDate>{early}</pubDate>", f"{feed[1]}<pubDate>{late}</pubDate>", ""])
    of_json = [{"title": GREAT, "date_published": early}, {"title": TERRIBLE, "date_published": late}]
    for kind, text in (("rss", both + "</channel></rss>"), ("json", json.dumps({"items": of_json}))):
        entry = of_one(tmp_path / kind, text)
        assert (entry["headlines"], entry["sentiment"] > 0.5) == (1, True), kind


@pytest.mark.parametrize("when", ["27/11/2026", "yesterday", "", "Fri, 31 Feb 2026 05:00:00 GMT"])
def test_a_date_that_cannot_be_read_is_none(tmp_path: Path, when: str) -> None:
    feed = rss((GREAT, None)).replace("</item>", f"<pubDate>{when}</pubDate></item>")
    assert of_one(tmp_path, feed)["headlines"] == 1


def test_titles_that_cannot_be_stored_are_cleaned(tmp_path: Path) -> None:
    titles = [r'"Great\ud800 success"', r'"Great\u0000 profit"', "7", "[]", '{"a": 1}']
    items = ", ".join(f'{{"title": {title}}}' for title in titles)
    feed = f'{{"items": [{items}]}}'
    assert of_one(tmp_path, feed, {"content-type": "application/feed+json"})["headlines"] == 2
    kept = json.loads((tmp_path / "company_reports" / KEY / "headlines.json").read_text())
    assert kept["symbols"]["ONE"] == ["Great? success", "Great profit"]


def test_what_has_no_date_comes_after_what_has(tmp_path: Path) -> None:
    undated = [(TERRIBLE.format(number), None) for number in range(30)]
    entry = of_one(tmp_path, rss(*undated, *[(GREAT.format(hour), MOMENT) for hour in range(20)]))
    assert entry["sentiment"] > 0.5


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Great success</title>
<updated>2026-11-27T05:00:00Z</updated></entry><entry><title>Terrible crash</title>
<updated>2026-11-27T07:00:00Z</updated></entry></feed>"""
UTF16 = rss(("Great success", MOMENT)).replace("?>", ' encoding="utf-16"?>', 1)
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "items": [
        {"title": "Great success", "date_published": "2026-11-27T05:00:00Z"},
        {"title": "Terrible crash", "date_published": "2026-11-27T08:30:00+01:00"},
        {"title": None},
        "no item",
    ],
}


@pytest.mark.parametrize(
    ("feed", "headers"),
    [
        (ATOM, {}),
        (json.dumps(JSON_FEED), {"content-type": "application/feed+json"}),
        (UTF16.encode("utf-16"), {}),
        (UTF16.encode("utf-16"), {"content-type": "text/xml; charset=iso-8859-1"}),
        (rss(("Great success", MOMENT)), {"content-type": "text/html"}),
        (rss(("Great success", MOMENT)) + "<!-- cached -->", {}),
        (rss(("Great success", MOMENT)), {"content-type": "application/json"}),
        (json.dumps(JSON_FEED).encode("utf-16"), {"content-type": "application/json"}),
        (rss(("Great success & more", MOMENT)), {}),  # no XML, and all the same what many send
    ],
)
def test_feeds_of_all_kinds_are_read(tmp_path: Path, feed: str | bytes, headers: dict[str, str]) -> None:
    entry = of_one(tmp_path, feed, headers)
    assert entry["headlines"] == 1
    assert entry["sentiment"] > 0.5


def test_an_encoding_that_is_not_as_declared_is_outlived(tmp_path: Path) -> None:
    feed = rss(("Great success for Müller", MOMENT)).replace("?>", ' encoding="utf-8"?>', 1)
    of_one(tmp_path, feed.encode("latin-1"))
    kept = json.loads((tmp_path / "company_reports" / KEY / "headlines.json").read_text())
    assert kept["symbols"]["ONE"] == ["Great success for Müller"]


@pytest.mark.parametrize(
    "titles",
    [
        ["Gewinn bricht ein, Aktie stürzt ab", "Volkswagen streicht 35.000 Stellen"],
        ["Apple: bénéfice record au quatrième trimestre"],
        ["アップル、過去最高益"],
        ["Акции Apple упали на фоне отчёта"],
        ["苹果公司利润创新高"],
    ],
)
def test_a_language_that_vader_cannot_read_is_not_rated_neutral(tmp_path: Path, titles: list[str]) -> None:
    entry = of_one(tmp_path, rss(*((title, MOMENT) for title in titles)))
    assert (entry["sentiment"], entry["headlines"], entry["unrated"]) == (None, len(titles), "language")
    assert result("sentiment", tmp_path, KEY)["details"]["unrated_language"] == 1


def test_of_several_languages_the_english_headlines_count(tmp_path: Path) -> None:
    titles = [
        "Great success for Siemens",
        "Excellent profit, strong growth",
        "Die Aktie der Siemens AG fällt",
    ]
    assert of_one(tmp_path, rss(*((title, MOMENT) for title in titles)))["sentiment"] > 0.5
