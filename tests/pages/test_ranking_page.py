"""The ranking page in a real browser, with the real API and frontend behind it."""

from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import polars as pl
import pytest

from apps.common.parquet import NOTICE, write_parquet
from apps.frontend.app import create_app as create_frontend
from apps.frontend.settings import Settings as FrontendSettings
from tests.support.ranking import fits, open_page, stack, symbols, write_batch
from tests.support.waiting import wait_for
from tests.unit.apps.support.batch_files import AS_OF, KEY, write_scores, write_sentiment
from tests.unit.apps.support.local_servers import served

HOSTILE = "<img src=x onerror=alert(1)>"
SCORES: dict[str, float | None] = {"AAPL": 80.0, "KO": 60.0, "PG": 40.0, "XOM": 20.0}
NEWER = "2026-11-23T06:00:00"


@pytest.fixture
def page(browser, tmp_path: Path):
    """The page of a graded batch; `page.api` and `page.frontend` are clients for what is behind it."""
    write_batch(tmp_path, SCORES)
    with stack(tmp_path) as (api, frontend):
        api.post("/api/v1/grading/refresh").raise_for_status()
        opened = open_page(browser, frontend)
        opened.api, opened.frontend, opened.data = api, frontend, tmp_path
        opened.wait_for_selector("#rows tr")
        yield opened
        assert opened.complaints == []
        opened.context.close()


def test_it_shows_the_ranking(page) -> None:
    assert symbols(page) == ["AAPL", "KO", "PG", "XOM"]
    first = page.locator("#rows tr").first
    assert first.locator(".badge").text_content() == "A"
    assert first.locator("td.column-composite").text_content() == "79.0"
    assert first.locator(".diverging.positive").count() == 1
    first.locator("svg path.line").wait_for()
    assert "22 Nov 2026, 06:00 UTC" in page.locator("#facts").text_content()
    assert "20 Nov 2026" in page.locator("#facts").text_content()
    assert page.locator("#note").is_hidden()  # two days old over a weekend is no replay
    assert page.locator("#rows th[scope=row]").count() == 4


def test_a_symbol_with_older_prices_is_marked(page) -> None:
    scores = write_scores(page.data, SCORES, NEWER)
    write_sentiment(page.data, {}, NEWER)
    days = pl.DataFrame(
        {"last_day": [AS_OF] * 2 + [date(2026, 11, 18)] * 2, "sessions_behind": [0, None, 2, None]}
    )
    pl.read_parquet(scores).hstack(days).write_parquet(scores)
    page.api.post("/api/v1/grading/refresh", json={"batch": NEWER}).raise_for_status()
    page.frontend.post("/api/refresh-data").raise_for_status()
    page.wait_for_selector(".late")
    marked = page.locator("#rows tr", has=page.locator(".late"))
    assert marked.locator(".ticker").all_text_contents() == ["PG", "XOM"]
    titles = [mark.get_attribute("title") for mark in page.locator(".late").all()]
    assert titles == [f"Newest price of 2026-11-18{text}" for text in (", 2 sessions behind the others", "")]


def test_the_sample_is_called_one(page) -> None:
    notice = "sample: prices of 2016-11-18 under the date of 2026-11-20"
    write_batch(page.data, SCORES, NEWER)
    prices = page.data / "prices" / NEWER / "prices.parquet"
    write_parquet(prices, pl.read_parquet(prices), {NOTICE: notice})
    page.api.post("/api/v1/grading/refresh", json={"batch": NEWER}).raise_for_status()
    page.frontend.post("/api/refresh-data").raise_for_status()
    page.wait_for_selector("#note:not([hidden])")
    assert page.locator("#note").text_content() == notice.capitalize()
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_sorting_and_filtering(page) -> None:
    page.click("[data-sort=symbol]")
    page.click("[data-sort=symbol]")
    assert symbols(page) == ["XOM", "PG", "KO", "AAPL"]
    assert page.locator("th.column-symbol[aria-sort=descending]").count() == 1
    page.click("[data-sort=sentiment]")
    assert symbols(page) == ["AAPL", "KO", "PG", "XOM"]  # those without sentiment last
    page.click("[data-sort=sentiment]")
    assert symbols(page) == ["KO", "AAPL", "PG", "XOM"]  # and last again
    page.fill("#filter", "o")
    assert symbols(page) == ["KO", "XOM"]
    page.click("[data-grade=B]")
    assert symbols(page) == ["KO"]
    page.fill("#filter", "nothing")
    page.click("#clear")
    assert len(symbols(page)) == 4


def test_a_refresh_updates_the_open_page_and_lights_up_what_changed(page) -> None:
    write_batch(page.data, {"AAPL": 80.0, "KO": 60.0, "PG": 20.0, "XOM": 40.0}, NEWER)
    page.api.post("/api/v1/grading/refresh", json={"batch": NEWER}).raise_for_status()
    answer = page.frontend.post("/api/refresh-data", json={"batch": NEWER}).json()
    assert answer["listeners"] == 1
    page.wait_for_selector("tr.changed")
    assert page.locator("tr.changed .ticker").all_text_contents() == ["XOM", "PG"]
    assert symbols(page) == ["AAPL", "KO", "XOM", "PG"]
    assert "23 Nov 2026" in page.locator("#facts").text_content()


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-11-22T06:30:00Z", "Friday's close, 20 Nov 2026, current"),
        ("2026-11-23T21:30:00Z", "Friday's close, 20 Nov 2026, at least 1 session behind"),
    ],
)
def test_it_says_whether_the_grades_are_of_the_newest_session(page, now: str, words: str) -> None:
    body = {
        "grades": page.api.get("/api/v1/grading/grades").json()["grades"],
        "batch": KEY,
        "as_of": "2026-11-20",
        "graded_at": f"{KEY}Z",
        "sentiment_weight": 0.3,
        "ungraded": [],
        "session": {"newest": "2026-11-20", "behind": 0, "next_close": "2026-11-23T21:00:00Z"},
        "carried_over_from": "2026-11-21T06:00:00",
    }
    page.route("**/api/ranking*", lambda route: route.fulfill(json=body))
    page.clock.set_fixed_time(now)
    page.reload()
    page.wait_for_selector("#rows tr")
    facts = page.locator("#facts").text_content()
    assert words in facts
    assert "no new session; grades of 21 Nov 2026, 06:00 UTC carried over" in facts


def test_a_hostile_symbol_stays_text(browser, tmp_path: Path) -> None:
    write_batch(tmp_path, SCORES | {HOSTILE: 99.0})
    write_sentiment(tmp_path, {HOSTILE: 0.1})
    with stack(tmp_path) as (api, frontend):
        api.post("/api/v1/grading/refresh").raise_for_status()
        page = open_page(browser, frontend)
        page.wait_for_selector("#rows tr")
        assert symbols(page)[0] == HOSTILE
        assert page.locator("#rows img").count() == 0
        assert page.complaints == []
        page.context.close()


def test_the_first_batch_appears_on_the_empty_page_by_itself(browser, tmp_path: Path) -> None:
    with stack(tmp_path) as (api, frontend):
        page = open_page(browser, frontend)
        page.wait_for_selector("text=No batch graded yet")
        write_batch(tmp_path, SCORES)
        api.post("/api/v1/grading/refresh").raise_for_status()
        page.wait_for_selector("#live[data-state=live]")
        frontend.post("/api/refresh-data").raise_for_status()
        page.wait_for_selector("#rows tr")
        assert page.locator("#state").is_hidden()
        page.context.close()


def test_an_absent_api_is_told(browser) -> None:
    with served(create_frontend(FrontendSettings(api_url="http://127.0.0.1:1"))) as frontend:
        page = open_page(browser, frontend)
        page.wait_for_selector("text=Grading service unavailable")
        page.wait_for_selector("#live[data-state=down]")
        assert page.locator("#live").text_content() == "Not up to date"
        assert page.locator("#retry").is_visible()
        page.context.close()


def test_an_absent_api_keeps_the_ranking_on_the_page(page) -> None:
    (page.data / "grades" / f"{KEY}.json").write_text("torn")
    page.frontend.post("/api/refresh-data").raise_for_status()
    page.wait_for_selector("#banner:not([hidden])")
    assert len(symbols(page)) == 4
    assert "Live" not in page.locator(".top").text_content()


def test_an_address_with_a_market_shows_that_market_alone(page) -> None:
    page.goto(f"{page.frontend.base_url}?market=nyse")
    page.wait_for_selector("text=No batch graded yet")
    assert page.locator("h1").text_content() == "Stock ranking of nyse"
    write_batch(page.data / "nyse", {"IBM": 70.0, "GE": 30.0}, NEWER)
    own = {"batch": NEWER, "market": "nyse"}
    page.api.post("/api/v1/grading/refresh", json=own).raise_for_status()
    page.wait_for_selector("#live[data-state=live]")
    page.frontend.post("/api/refresh-data", json=own).raise_for_status()
    page.wait_for_selector("#rows tr")
    assert symbols(page) == ["IBM", "GE"]
    assert "23 Nov 2026" in page.locator("#facts").text_content()
    page.goto(str(page.frontend.base_url))
    page.wait_for_selector("#rows tr")
    assert symbols(page) == ["AAPL", "KO", "PG", "XOM"]
    assert page.locator("h1").text_content() == "Stock ranking"


@pytest.mark.parametrize("market", ["../nyse", HOSTILE, "removed"])
def test_what_is_not_a_market_is_reported(page, market: str) -> None:
    page.goto(f"{page.frontend.base_url}?{urlencode({'market': market})}")
    page.wait_for_selector("text=No such market")
    assert market in page.locator("#state-text").text_content()
    assert page.locator("#ranking").is_hidden()
    assert page.locator("#live").is_hidden()
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("width", [320, 390, 768, 820, 960, 1100, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_width(page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    wait_for(f"the page in {width} pixels", lambda: fits(page, width), 20)
