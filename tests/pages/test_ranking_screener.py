"""What a person does on the ranking page beside reading it: panel, filters, batches, markets, keys."""

import csv

import pytest
from playwright.sync_api import expect

from tests.support.ranking import (
    FIRST,
    SECOND,
    THIRD,
    amount,
    fragment,
    open_page,
    query,
    symbols,
)

ALL = ["AAPL", "XOM", "KO", "PG", "GE"]


@pytest.fixture
def opened(browser, frontend):
    """Opens the page at an address and waits until all of it is there."""
    pages = []

    def at(address: str = "", **context: object):
        page = open_page(browser, frontend, address, **context)
        pages.append(page)
        page.wait_for_selector("#rows .move")
        return page

    yield at
    for page in pages:
        assert page.complaints == []
        page.context.close()


def test_a_symbol_opens_a_panel_by_its_link_and_the_back_button_closes_it(opened) -> None:
    page = opened()
    page.click("#rows a >> text=AAPL")
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("AAPL")
    expect(panel.locator("#panel-about")).to_have_text("Apple · Technology")
    expect(panel.locator(".why tbody tr")).to_have_count(4)
    points = [amount(text) for text in panel.locator(".why td:nth-child(4)").all_text_contents()]
    assert 50 + sum(points) == pytest.approx(79, abs=0.01)
    assert panel.locator(".why rect").count() == 4
    assert "Closes from" in panel.locator("svg.chart").get_attribute("aria-label")
    assert panel.locator("svg.chart .mark-A").count() == 1
    assert panel.locator(".headlines li").all_text_contents() == ["Apple sells more+0.50"]
    assert panel.locator(".history tbody tr").count() == 3
    assert fragment(page) == "AAPL"
    page.go_back()
    expect(panel).to_be_hidden()
    assert fragment(page) == ""


def test_a_click_in_a_row_and_enter_open_it_too_and_escape_gives_the_focus_back(opened) -> None:
    page = opened()
    page.click("#rows tr:nth-child(3) .column-composite")
    expect(page.locator("#panel h2")).to_have_text("KO")
    assert page.locator(".headlines b").count() == 0
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    page.focus("#rows tr:nth-child(2) a")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("XOM")
    page.keyboard.press("Escape")
    expect(page.locator("#rows tr:nth-child(2) a")).to_be_focused()
    expect(page).to_have_url(page.url.split("#")[0])


def test_an_address_opens_the_panel_and_one_turns_from_symbol_to_symbol(opened) -> None:
    page = opened("#XOM")
    expect(page.locator("#panel h2")).to_have_text("XOM")
    moved = page.locator(".moved")
    expect(moved.locator("h3")).to_have_text("Up 2 ranks since 21 Nov 2026, 06:00 UTC, from D to B")
    assert "+32.00 points, made of momentum +8.66" in moved.locator("p").text_content()
    page.click("[aria-label='Symbol below in the table']")
    expect(page.locator("#panel h2")).to_have_text("KO")
    assert fragment(page) == "KO"


@pytest.mark.parametrize(("symbol", "batches"), [("IBM", 1), ("NOPE", 0)])
def test_a_symbol_that_is_not_there_keeps_its_history(opened, symbol: str, batches: int) -> None:
    page = opened(f"#{symbol}")
    expect(page.locator("#panel .standing")).to_have_text(f"{symbol} is not in this ranking.")
    page.wait_for_selector(".past")
    assert page.locator(".history tbody tr").count() == batches


def test_each_row_shows_its_change_since_the_batch_before(opened) -> None:
    page = opened()
    cells = page.locator("#rows .column-move")
    assert cells.nth(1).get_attribute("title") == "Up 2 ranks since 21 Nov 2026, 06:00 UTC, from D to B"
    assert cells.nth(1).locator(".from").text_content() == "from D"
    assert cells.nth(3).locator(".negative").count() == 1
    assert cells.nth(4).text_content() == "new"
    page.click("[data-sort=move]")
    assert symbols(page)[0] == "XOM"


def test_an_earlier_batch_is_chosen_and_two_are_compared(opened) -> None:
    page = opened()
    page.select_option("#batch", SECOND)
    expect(page.locator("#facts")).to_contain_text("21 Nov 2026")
    expect(page.locator("#live")).to_have_text("Chosen batch")
    assert symbols(page) == ["AAPL", "PG", "KO", "XOM"]
    page.go_back()
    expect(page.locator("#facts")).to_contain_text("22 Nov 2026")
    page.select_option("#compare", FIRST)
    comparison = page.locator("#comparison")
    expect(comparison.locator("h2")).to_have_text("From 20 Nov 2026, 06:00 UTC to 22 Nov 2026, 06:00 UTC")
    assert comparison.locator("p").all_text_contents()[1:] == ["Entered: GE", "Left: IBM"]
    row = comparison.locator("tbody tr").first.locator("th, td").all_text_contents()
    move, *parts = (amount(text) for text in row[3:])
    assert move == pytest.approx(sum(parts), abs=0.01)
    assert query(page) == {"compare": FIRST}
    page.reload()
    expect(comparison).to_be_visible()


def test_filters_and_sorting_stand_in_the_address_and_the_back_button_takes_them_back(opened) -> None:
    page = opened()
    page.click("[data-grade=C]")
    page.click("[data-grade=B]")
    page.click("[data-sort=symbol]")
    assert symbols(page) == ["KO", "PG", "XOM"]
    page.click("#filters summary")
    page.select_option("#sector", "Consumer goods")
    page.fill("[data-range='composite.0']", "30")
    expect(page.locator("#count")).to_have_text("1 of 5 symbols")
    page.wait_for_url("**composite=30*")
    wanted = {"grade": "BC", "sector": "Consumer goods", "composite": "30..", "sort": "symbol"}
    assert query(page) == wanted
    page.reload()
    expect(page.locator("#rows .ticker")).to_have_text(["KO"])
    assert page.input_value("[data-range='composite.0']") == "30"
    page.go_back()  # before the sector, and the range that was typed after it
    expect(page.locator("#rows .ticker")).to_have_text(["KO", "PG", "XOM"])
    page.go_back()
    assert query(page) == {"grade": "BC"}
    expect(page.locator("#rows .ticker")).to_have_text(["XOM", "KO", "PG"])
    page.click("#filters summary")
    page.click("#clear-filters")
    assert symbols(page) == ALL


def test_a_search_finds_names(opened) -> None:
    page = opened("?q=cola")
    assert symbols(page) == ["KO"]
    assert page.locator("#rows .about").text_content() == "Coca-Cola · Consumer goods"
    assert page.input_value("#filter") == "cola"


def test_columns_say_what_they_mean_to_the_mouse_and_to_the_keyboard(opened) -> None:
    page = opened()
    tip = page.locator("#about-momentum")
    expect(tip).to_be_hidden()
    page.hover("[data-sort=momentum]")
    expect(tip).to_be_visible()
    page.mouse.move(0, 0)
    page.focus("[data-sort=composite]")
    page.keyboard.press("Tab")
    expect(tip).to_be_visible()
    assert "12-month return" in tip.text_content()


def test_the_rows_that_are_shown_can_be_had_as_csv(opened) -> None:
    page = opened("?sector=Consumer%20goods&sort=-rank")
    with page.expect_download() as download:
        page.click("#csv")
    assert download.value.suggested_filename == f"ranking-{THIRD.replace(':', '')}.csv"
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [(row["symbol"], row["name"], row["rank_change"], row["grade_before"]) for row in rows] == [
        ("PG", "Procter & Gamble", "-2", "B"),
        ("KO", "Coca-Cola", "0", "C"),
    ]


def test_another_market_is_chosen(opened) -> None:
    page = opened("?q=a")
    page.select_option("#market", "nyse")
    expect(page.locator("h1")).to_have_text("Stock ranking of nyse")
    page.fill("#filter", "")
    expect(page.locator("#rows .ticker")).to_have_text(["IBM", "GE"])
    assert query(page)["market"] == "nyse"
    page.go_back()
    expect(page.locator("h1")).to_have_text("Stock ranking")


def test_keys_lead_to_the_search_and_from_row_to_row(opened) -> None:
    page = opened()
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    page.keyboard.type("o/")
    assert page.input_value("#filter") == "o/"
    page.fill("#filter", "o")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#rows tr:nth-child(2) a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("KO")


@pytest.mark.parametrize("batch", ["2020-01-01T00:00:00", "yesterday"])
def test_a_batch_that_is_not_there_is_reported_with_a_way_back(browser, frontend, batch: str) -> None:
    page = open_page(browser, frontend, f"?batch={batch}")
    page.wait_for_selector("text=No such batch")
    expect(page.locator("#live")).to_be_hidden()
    page.click("#leave")
    expect(page.locator("#rows .ticker")).to_have_text(ALL)
    assert query(page) == {}
    page.context.close()
