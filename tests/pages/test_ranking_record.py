"""The ranking page's record of the grades: its charts and measures, and what it says while there is none."""

import pytest
from playwright.sync_api import expect

from tests.support.ranking import NOTHING, measures, record

ALL = ["AAPL", "XOM", "KO", "PG", "GE"]
ABSENT = {"status": 404, "json": {"detail": "no batch has been evaluated yet"}}


@pytest.fixture
def page(browser, frontend):
    """A page that is not at an address yet; its `answer` is what it is given for the record."""
    opened = browser.new_context().new_page()
    opened.complaints, opened.answer = [], {"json": record(250)}
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.route("**/api/grading/record*", lambda route: route.fulfill(**opened.answer))
    opened.home = str(frontend.base_url)
    yield opened
    assert opened.complaints == []
    opened.context.close()


def test_the_record_has_a_tab_with_charts_and_two_parts_that_are_not_mixed(page) -> None:
    page.goto(page.home)
    page.click("#tab-record")
    page.wait_for_url("**view=record*")
    expect(page.locator("#record h2")).to_have_text(["Published grades", "Backtest of the method"])
    assert page.locator(".part.published svg").count() == page.locator(".part.backtest svg").count() == 3
    assert page.locator(".part.published .measures tbody tr").count() == 4
    page.select_option("#record-backtest", "value")
    expect(page.locator("#record-backtest")).to_be_focused()
    expect(page.locator("#ranking")).to_be_hidden()
    page.click("#tab-ranking")
    expect(page.locator("#rows .ticker")).to_have_text(ALL)


def test_a_record_without_returns_says_so_and_draws_nothing(page) -> None:
    page.answer = {"json": record(0)}
    page.goto(f"{page.home}?view=record")
    expect(page.locator(".part.published .nothing")).to_contain_text("No returns are in yet")
    assert page.locator(".part.published svg").count() == 0


def test_its_measures_are_explained(page) -> None:
    page.goto(f"{page.home}?view=record")
    page.click("#record summary")
    heads = page.locator(".part.published thead th").all_text_contents()
    assert page.locator("#record dt").all_text_contents() == heads[1:]


def test_a_horizon_whose_returns_are_not_in_says_so_beside_what_is_known(page) -> None:
    known = record(250)
    known["live"]["figures"]["composite"]["21"] = measures(**NOTHING)
    page.answer = {"json": known}
    page.goto(f"{page.home}?view=record")
    expect(page.locator(".late-returns")).to_have_text("No returns over 21 sessions are in yet.")
    expect(page.locator(".part.published svg")).to_have_count(1)
    alone, among_others = (page.locator(f".part.{name} svg").first for name in ("published", "backtest"))
    assert alone.bounding_box()["height"] == among_others.bounding_box()["height"]


def test_without_a_record_it_says_so_until_one_is_there(page) -> None:
    page.answer = ABSENT
    page.clock.install()
    page.goto(f"{page.home}?view=record")
    expect(page.locator("#record h2")).to_have_text("No record yet")
    expect(page.locator("h1")).to_have_text("Record of the grades")
    expect(page.locator("#ranking")).to_be_hidden()
    page.answer = {"json": record(250)}
    page.clock.fast_forward(60_000)
    expect(page.locator(".part.backtest svg")).to_have_count(3)
    page.click("#tab-ranking")
    expect(page.locator("#rows .ticker")).to_have_text(ALL)


def test_a_record_that_cannot_be_read_is_reported(page) -> None:
    page.answer = {"status": 502, "json": {"detail": "evaluations/x.json is torn"}}
    page.goto(f"{page.home}?view=record")
    expect(page.locator("#problem")).to_contain_text("Evaluations/x.json is torn.")


def test_a_record_of_another_form_is_left_out(page) -> None:
    page.answer = {"json": {"ic": 0.1}}
    page.goto(page.home)
    page.wait_for_selector("#rows .move")
    expect(page.locator("#tabs")).to_be_hidden()
