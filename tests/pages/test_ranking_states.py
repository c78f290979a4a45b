"""The ranking page when something beside the grades is missing, slow, damaged, or much."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.frontend.app import create_app
from apps.frontend.settings import Settings
from tests.support.http_server import Answer, Request, local_server
from tests.support.ranking import FIRST, SECOND, THIRD, open_page, symbols
from tests.unit.apps.support.local_servers import served

ALL = ["AAPL", "XOM", "KO", "PG", "GE"]
MANY = 5000


@pytest.fixture
def page(browser, frontend):
    """A page that is not at an address yet, so that a test can have answers wait or differ."""
    opened = browser.new_context().new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.home = str(frontend.base_url)
    yield opened
    assert opened.complaints == []
    opened.context.close()


def graded(number: int) -> dict[str, Any]:
    """Grades as an API of one's own may answer them, with nothing beside."""
    about = dict.fromkeys(("momentum", "value", "quality", "score"), 50.0) | {
        "sentiment": None,
        "headlines": 0,
    }
    grades = [
        {"symbol": f"S{rank:04}", "rank": rank, "grade": "ABCDF"[5 * (rank - 1) // number], **about}
        | {"composite": 100 - rank / number, "sparkline": [1.0 + day % 7 for day in range(60)]}
        for rank in range(1, number + 1)
    ]
    made = {"batch": THIRD, "as_of": "2026-11-20", "graded_at": f"{THIRD}Z", "sentiment_weight": 0.2}
    return {**made, "grades": grades, "ungraded": []}


@pytest.fixture
def plain(browser):
    """Opens the page of an API that knows its grades and nothing else."""
    pages = []

    def answer(request: Request) -> Answer:
        known = request.path == "/api/v1/grading/grades"
        return (200, plain_grades) if known else (404, '{"detail": "Not Found"}')

    plain_grades = json.dumps(graded(MANY))
    with local_server(answer) as (url, _), served(create_app(Settings(api_url=url))) as frontend:

        def at(address: str = "", **context: object):
            page = open_page(browser, frontend, address, **context)
            pages.append(page)
            page.wait_for_selector("#rows tr")
            return page

        yield at
        for page in pages:
            assert page.complaints == []
            page.context.close()


def test_with_an_api_that_knows_grades_alone_the_page_does_what_it_can(plain) -> None:
    page = plain("#S0002")
    expect(page.locator("#panel h2")).to_have_text("S0002")
    assert page.locator(".why tbody tr").all_text_contents() == ["Momentum50", "Value50", "Quality50"]
    page.keyboard.press("Escape")
    page.wait_for_selector("#rows svg path.line")
    for part in ("#batches", "#compares", "#markets", "#tabs", "#problem", "[data-sort=move]"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("#live")).to_have_text("Live")


def test_of_many_rows_those_on_the_screen_are_drawn_below_a_head_that_stays(plain) -> None:
    page = plain(viewport={"width": 1200, "height": 800})
    expect(page.locator("#count")).to_have_text("5,000 symbols")
    assert page.evaluate("document.querySelectorAll('*').length") < 5000
    assert page.locator("#table").get_attribute("aria-rowcount") == "5001"
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    middle = page.locator("#rows tr", has_text="S2500")
    middle.wait_for()
    assert page.locator("#columns th").first.bounding_box()["y"] == pytest.approx(0, abs=2)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_selector("#rows tr >> text=S5000")
    assert page.locator("#rows tr").last.get_attribute("aria-rowindex") == "5001"
    page.fill("#filter", "499")
    expect(page.locator("#count")).to_have_text("15 of 5,000 symbols")
    page.wait_for_selector("#rows tr >> text=S0499")


def test_the_focus_goes_on_below_the_screen(plain) -> None:
    page = plain(viewport={"width": 1200, "height": 800})
    page.focus("#rows a")
    for _ in range(12):
        page.keyboard.press("PageDown")
    expect(page.locator("#rows a:focus")).to_have_text("S0121")


def test_a_damaged_record_is_reported_and_the_ranking_stays(page, data) -> None:
    (file,) = (data / "grades" / "history").glob("*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    try:
        page.goto(page.home)
        expect(page.locator("#problem")).to_contain_text("rebuild-history")
        assert symbols(page) == ALL
    finally:
        file.write_bytes(whole)


def test_what_comes_late_says_that_it_loads_and_takes_no_newer_place(page) -> None:
    late: list[Any] = []

    def hold(route: Any) -> None:
        late.append(route)

    page.route(f"**/api/ranking?batch={SECOND.replace(':', '%3A')}*", hold)
    page.goto(page.home)
    page.wait_for_selector("#rows .move")
    page.select_option("#batch", SECOND)
    expect(page.locator("#facts")).to_have_text("Loading…")
    expect(page.locator("#ranking")).to_have_attribute("aria-busy", "true")
    page.select_option("#batch", "")
    expect(page.locator("#facts")).to_contain_text("22 Nov 2026")
    assert len(late) == 1
    assert symbols(page) == ALL


def test_a_panel_that_cannot_be_loaded_says_so_and_can_be_loaded_again(page) -> None:
    page.route(
        "**/api/grading/symbols/AAPL?*", lambda route: route.fulfill(status=502, json={"detail": "torn"})
    )
    page.goto(f"{page.home}#AAPL")
    page.wait_for_selector("#rows .move", state="attached")  # all that the panel is told is there
    expect(page.locator("#panel .refusal")).to_have_text("More about AAPL cannot be loaded. Torn.")
    assert "Rank 1 of 5" in page.locator("#panel .standing").text_content()
    page.unroute("**/api/grading/symbols/AAPL?*")
    page.click("#panel .again")
    page.wait_for_selector("#panel svg.chart")


def test_it_is_live_only_once_the_grades_are_there(page) -> None:
    seen: list[str | None] = []

    def look(route: Any) -> None:
        seen.append(page.locator("#live").text_content())
        route.continue_()

    page.route("**/api/ranking*", look)
    page.goto(page.home)
    expect(page.locator("#live")).to_have_text("Live")
    assert seen == ["Connecting"]


def test_a_batch_whose_files_were_removed_is_compared_with_and_not_offered(page, data) -> None:
    shown = data / "grades" / f"{FIRST}.json"
    whole = shown.read_bytes()
    shown.unlink()
    try:
        page.goto(page.home)
        page.wait_for_selector("#rows .move")
        offered = page.locator("#batch option").all()
        assert [option.get_attribute("value") for option in offered] == ["", THIRD, SECOND]
        page.select_option("#compare", FIRST)
        expect(page.locator("#comparison h2")).to_contain_text("From 20 Nov 2026")
        page.goto(f"{page.home}?batch={FIRST}")
        expect(page.locator("#state-title")).to_have_text("This batch was removed")
        page.click("#leave")
        expect(page.locator("#rows .ticker")).to_have_text(ALL)
    finally:
        shown.write_bytes(whole)


def test_a_batch_to_compare_with_that_is_not_there_is_reported(page) -> None:
    page.goto(f"{page.home}?compare=2020-01-01T00:00:00")
    expect(page.locator("#problem")).to_contain_text("2020-01-01T00:00:00 is not graded")
    assert symbols(page) == ALL
    page.select_option("#compare", "")
    page.wait_for_selector("#rows .move")
    expect(page.locator("#problem")).to_be_hidden()


def test_the_batches_of_a_market_are_not_offered_in_another(page) -> None:
    late: list[Any] = []

    def hold(route: Any) -> None:
        late.append(route)

    page.goto(page.home)
    page.wait_for_selector("#rows .move")
    page.route("**/api/grading/batches*", hold)
    page.select_option("#market", "nyse")
    expect(page.locator("#rows .ticker")).to_have_text(["IBM", "GE"])
    expect(page.locator("#batches")).to_be_hidden()
    expect(page.locator("#compares")).to_be_hidden()
    assert len(late) == 1
