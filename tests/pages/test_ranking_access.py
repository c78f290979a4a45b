"""The ranking page for each reader: findings of axe-core, contrast, and every width."""

import pytest
from playwright.sync_api import expect

from tests.support.accessibility import stumbles
from tests.support.contrast import FAINT
from tests.support.ranking import FIRST, fits, open_page, record
from tests.support.waiting import wait_for

PLACES = {
    "ranking": ("", "#rows .move"),
    "filters": ("?grade=BC&sector=Energy", "#rows .move"),
    "comparison": (f"?compare={FIRST}", "#comparison table"),
    "panel": ("#AAPL", "#panel .history"),
    "record": ("?view=record", "#record svg"),
    "nothing": ("?q=nothing", "#nothing"),
    "no batch": ("?batch=2020-01-01T00:00:00", "#leave"),
}


@pytest.fixture
def at(browser, frontend):
    """Opens the page at one of the places."""
    pages = []

    def opened(place: str, **context: object):
        page = open_page(browser, frontend, "", **context)
        pages.append(page)
        page.route("**/api/grading/record*", lambda route: route.fulfill(json=record(250)))
        address, there = PLACES[place]
        page.goto("about:blank")
        page.goto(f"{frontend.base_url}{address}")
        page.wait_for_selector(there)
        if place == "filters":
            page.click("#filters summary")
        return page

    yield opened
    for page in pages:
        assert page.complaints == []
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_nobody_stumbles(at, place: str, scheme: str) -> None:
    page = at(place, color_scheme=scheme, reduced_motion="reduce")
    assert stumbles(page) == []
    assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("place", PLACES)
def test_nobody_stumbles_on_a_phone(at, place: str) -> None:
    page = at(place, viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    assert stumbles(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [320, 390, 768, 820, 960, 1100, 1280, 1440])
def test_it_fits_every_width(at, width: int) -> None:
    page = at("ranking", viewport={"width": width, "height": 800})
    page.wait_for_selector("#rows svg path.line")
    wait_for(f"the page in {width} pixels", lambda: fits(page, width), 20)


def test_the_panel_fits_a_phone_and_holds_the_focus(at) -> None:
    page = at("panel", viewport={"width": 320, "height": 640})
    assert page.evaluate("document.querySelector('#panel-body').scrollWidth") <= 320
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "!document.activeElement.closest('main, .top')"  # the browser's own controls have their turn
        )
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
