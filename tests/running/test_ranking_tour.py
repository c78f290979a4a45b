"""A tour of the ranking page on a running stack, with batches that its reference services have graded.

What each ability does with odd data is in tests/pages, which needs no stack.
"""

import csv
import shutil
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from rankalpha.stages import STAGES
from tests.support.accessibility import stumbles
from tests.support.browser import chromium
from tests.support.checkout import ROOT
from tests.support.needs import needs
from tests.support.page import batches_of, signed_in
from tests.support.ranking import amount, fits, fragment, open_page, query, symbols

pytestmark = [
    pytest.mark.story,  # one page for all
    pytest.mark.flaky(reason="Chromium drops what it loads when networks of the machine come or go"),
]
FIRST, SECOND = "2025-03-05T06:00:00", "2025-04-09T06:00:00"


@pytest.fixture(scope="module")
def graded(lane, folder):
    """Two batches of the sample, five weeks apart, made by the reference services in place of fakes."""
    profile = folder / "env" / lane.market.name
    for stage in STAGES:
        shutil.copy(ROOT / "env" / "local" / f"{stage.name}.env", profile)
    with (profile / "evaluation.env").open("a") as settings:
        settings.write("\nEVALUATION_EVERY=252\n")  # a tenth of the gradings, as the record needs only some
    urls = lane.stack.urls
    (profile / "api.env").write_text(f"API_URL={urls['api']}\nFRONTEND_URL={urls['frontend']}\n")
    for key in (FIRST, SECOND):
        lane.ingest(key)
        assert lane.published("evaluations", key)


@pytest.fixture(scope="module")
def page(lane, graded):
    """The ranking page of the lane's market."""
    needs("chromium")
    frontend = SimpleNamespace(base_url=lane.stack.urls["frontend"])
    with chromium() as browser:
        opened = open_page(browser, frontend, f"/?market={lane.market.name}")
        opened.wait_for_selector("#rows .move")
        yield opened
        assert opened.complaints == []
        opened.context.close()


def test_each_row_shows_its_change(page, lane):
    expect(page.locator("h1")).to_have_text(f"Stock ranking of {lane.market.name}")
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#count")).to_have_text("20 symbols")
    titles = [cell.get_attribute("title") for cell in page.locator("#rows .column-move").all()]
    for way in ("Up", "Down"):
        assert any(title.startswith(way) and "since 5 Mar 2025, 06:00 UTC" in title for title in titles)
    assert stumbles(page) == []


def test_a_panel_opens_by_click_enter_and_address(page):
    first, second = symbols(page)[:2]
    panel = page.locator("#panel")
    page.click("#rows tr:nth-child(1) .column-composite")
    expect(panel.locator("h2")).to_have_text(first)
    expect(panel.locator(".history tbody tr")).to_have_count(2)
    assert "Closes from" in panel.locator("svg.chart").get_attribute("aria-label")
    assert panel.locator("svg.chart [class*=mark-]").count() > 0
    points = [amount(text) for text in panel.locator(".why td:nth-child(4)").all_text_contents()]
    composite = amount(page.locator("#rows tr:nth-child(1) .column-composite").text_content())
    assert 50 + sum(points) == pytest.approx(composite, abs=0.05 * len(points))
    assert panel.locator(".headlines li").count() > 0
    assert fragment(page) == first
    assert stumbles(page) == []
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.focus("#rows tr:nth-child(2) a")
    page.keyboard.press("Enter")
    expect(panel.locator("h2")).to_have_text(second)
    page.keyboard.press("Escape")
    page.goto(f"{page.url.partition('#')[0]}#XOM")
    expect(panel.locator("h2")).to_have_text("XOM")
    page.keyboard.press("Escape")


def test_an_earlier_batch_is_chosen_and_two_are_compared(page, lane):
    page.select_option("#batch", FIRST)
    expect(page.locator("#facts")).to_contain_text("5 Mar 2025")
    expect(page.locator("#live")).to_have_text("Chosen batch")
    assert query(page) == {"market": lane.market.name, "batch": FIRST}
    page.select_option("#batch", "")
    expect(page.locator("#facts")).to_contain_text("9 Apr 2025")
    page.select_option("#compare", FIRST)
    comparison = page.locator("#comparison")
    expect(comparison.locator("h2")).to_have_text("From 5 Mar 2025, 06:00 UTC to 9 Apr 2025, 06:00 UTC")
    row = comparison.locator("tbody tr").first.locator("th, td").all_text_contents()
    move, *parts = (amount(text) for text in row[3:])
    assert abs(move) > 1
    assert move == pytest.approx(sum(parts), abs=0.05)
    assert query(page) == {"market": lane.market.name, "compare": FIRST}
    page.select_option("#compare", "")
    expect(comparison).to_be_hidden()


def test_what_is_filtered_and_sorted_stands_in_the_address_and_in_the_csv(page, lane):
    page.click("#filters summary")
    page.select_option("#sector", index=1)
    sector = page.input_value("#sector")
    page.click("[data-sort=symbol]")
    page.wait_for_url("**sort=symbol*")
    assert query(page) == {"market": lane.market.name, "sector": sector, "sort": "symbol"}
    shown = symbols(page)
    assert shown == sorted(shown)
    assert 0 < len(shown) < 20
    page.reload()
    expect(page.locator("#rows .ticker")).to_have_text(shown)
    with page.expect_download() as download:
        page.click("#csv")
    name = f"ranking-{lane.market.name}-{SECOND.replace(':', '')}.csv"
    assert download.value.suggested_filename == name
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [(row["symbol"], row["sector"]) for row in rows] == [(symbol, sector) for symbol in shown]
    page.click("#filters summary")
    page.click("#clear-filters")
    page.fill("[data-range='momentum.0']", "50")
    page.wait_for_url("**momentum=50*")
    expect(page.locator("#count")).to_have_text("10 of 20 symbols")
    page.click("#clear-filters")
    page.click("[data-grade=A]")
    assert set(page.locator("#rows .badge").all_text_contents()) == {"A"}
    page.click("[data-grade=A]")


def test_columns_are_explained_below_a_head_that_stays_and_a_phone_has_all_of_it(page):
    page.hover("[data-sort=momentum]")
    expect(page.locator("#about-momentum")).to_be_visible()
    page.mouse.move(0, 0)
    page.set_viewport_size({"width": 1200, "height": 500})
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.locator("#columns th").first.bounding_box()["y"] == pytest.approx(0, abs=2)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page, 390)
    assert stumbles(page) == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 720})


def test_the_record_has_a_tab(page):
    page.click("#tab-record")
    expect(page.locator("#record h2")).to_have_text(["Published grades", "Backtest of the method"])
    expect(page.locator(".part.backtest svg")).to_have_count(3)
    assert page.locator(".part.backtest .measures tbody tr").count() == 4
    assert stumbles(page) == []
    page.click("#tab-ranking")
    expect(page.locator("#ranking")).to_be_visible()


def test_another_market_is_chosen_and_a_key_leads_to_the_search(page, lane):
    page.select_option("#market", "")
    expect(page.locator("#state-title")).to_have_text("No batch graded yet")
    page.go_back()
    expect(page.locator("h1")).to_have_text(f"Stock ranking of {lane.market.name}")
    page.wait_for_selector("#rows .move")
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("exxon")
    expect(page.locator("#rows .ticker")).to_have_text(["XOM"])


def test_an_unknown_market_is_said_to_be_none(page):
    page.goto(f"{page.url.partition('?')[0]}?market=moon")
    expect(page.locator("#state-title")).to_have_text("No such market")
    expect(page.locator("#live")).to_be_hidden()


def test_the_operators_page_compares_the_two_batches(page, lane):
    with signed_in(page.context.browser, lane.stack) as airflow:
        frame = batches_of(airflow, lane.market.name)
        frame.locator(f'[data-id="{SECOND}"]').click()
        frame.get_by_label("Compare with").select_option(FIRST)
        sections = frame.locator(".comparison section")
        expect(sections).to_have_count(5)
        for figure in ("Version", "Checksum of the version", "As of"):
            expect(sections.locator(f'tr.changed th:text-is("{figure}")')).to_have_count(5)
        rows = sections.first.locator('tr.changed:has(th:text-is("Rows")) td').all_text_contents()
        ours, theirs, change = (int(text.split(" ")[0].replace(",", "")) for text in rows)
        assert change == ours - theirs > 0
