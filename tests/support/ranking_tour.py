"""A tour of the ranking page: each of its abilities once, on a stack of the sample that has a past."""

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.support.accessibility import stumbles
from tests.support.ranking import amount

SYMBOLS = 20


def tour(page: Any, address: str) -> Iterator[str]:
    """Go through the page; give the name of each stop, on which nobody may stumble."""
    page.goto(address)
    page.wait_for_selector("#rows .move")
    expect(page.locator("#rows tr")).to_have_count(SYMBOLS)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#rows tr", has_text="XOM").locator(".about")).to_have_text("Exxon Mobil · Energy")
    page.wait_for_selector("#rows svg path.line")
    yield "ranking"
    for stop in (_search, _panel, _batches, _file, _record):
        yield from stop(page, address)


def no_stumbles(page: Any, stop: str) -> None:
    """Fail where axe-core finds something."""
    assert (stop, stumbles(page)) == (stop, [])


def _search(page: Any, _: str) -> Iterator[str]:
    page.keyboard.press("/")
    page.keyboard.type("exxon")
    expect(page.locator("#rows .ticker")).to_have_text(["XOM"])
    page.fill("#filter", "")
    page.click("#filters summary")
    page.select_option("#sector", "Energy")
    page.fill("[data-range='composite.0']", "0")
    page.click("[data-sort=symbol]")
    page.wait_for_url("**sector=Energy&composite=0..&sort=symbol")
    few = page.locator("#rows tr").count()
    assert 0 < few < SYMBOLS
    page.reload()
    expect(page.locator("#rows tr")).to_have_count(few)
    page.hover("[data-sort=momentum]")
    expect(page.locator("#about-momentum")).to_be_visible()
    page.mouse.move(0, 0)
    page.click("#filters summary")
    yield "filters"
    page.click("#clear-filters")
    expect(page.locator("#rows tr")).to_have_count(SYMBOLS)
    page.click("[data-grade=A]")
    assert set(page.locator("#rows .badge").all_text_contents()) == {"A"}
    page.go_back()
    expect(page.locator("#rows tr")).to_have_count(SYMBOLS)


def _panel(page: Any, address: str) -> Iterator[str]:
    page.locator("#rows a", has_text="XOM").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#panel")
    panel.locator("svg.chart").wait_for()
    assert page.url.endswith("#XOM")
    expect(panel.locator(".missing")).to_have_count(0)
    for part in (".why .parts", ".measured", ".headlines", ".past .history", ".mark"):
        expect(panel.locator(part).first).to_be_visible()
    points = panel.locator(".why .parts tbody tr td:nth-child(4)").all_text_contents()
    composite = panel.locator(".history tbody tr").first.locator("td").nth(2).text_content()
    assert 50 + sum(map(amount, points)) == pytest.approx(amount(composite), abs=0.06)
    yield "panel"
    page.click("[aria-label='Symbol below in the table']")
    expect(panel.locator("h2")).not_to_have_text("XOM")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.goto(f"{address}#ko")
    page.reload()
    expect(panel.locator("h2")).to_have_text("KO")
    page.keyboard.press("Escape")


def _batches(page: Any, _: str) -> Iterator[str]:
    oldest = page.locator("#batch option").last.get_attribute("value")
    newest = page.locator("#batch option").nth(1).get_attribute("value")
    page.select_option("#compare", oldest)
    comparison = page.locator("#comparison")
    expect(comparison.locator("p").first).to_contain_text(f"{SYMBOLS} symbols in both")
    row = comparison.locator("tbody tr").first.locator("th, td").all_text_contents()
    move, *parts = (amount(text) for text in row[3:])
    assert move == pytest.approx(sum(parts), abs=0.011)
    assert f"compare={oldest}" in unquote(page.url)
    yield "comparison"
    page.select_option("#batch", oldest)
    expect(page.locator("#live")).to_have_text("Chosen batch")
    expect(page.locator("#comparison")).to_be_hidden()
    assert newest != oldest
    page.select_option("#batch", "")
    expect(page.locator("#live")).to_have_text("Live")


def _file(page: Any, _: str) -> Iterator[str]:
    page.wait_for_selector("#rows .move")
    with page.expect_download() as download:
        page.click("#csv")
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [row["symbol"] for row in rows] == page.locator("#rows .ticker").all_text_contents()
    assert all(row["name"] and row["sector"] and row["rank_change"] for row in rows)
    yield "file"


def _record(page: Any, _: str) -> Iterator[str]:
    page.click("#tab-record")
    expect(page.locator("h1")).to_have_text("Record of the grades")
    expect(page.locator(".part.backtest svg")).to_have_count(3)
    expect(page.locator(".part.backtest .measures tbody tr")).to_have_count(4)
    assert page.locator("#record-backtest option").count() > 1
    page.select_option("#record-horizon", "63")
    expect(page.locator(".part.backtest figcaption").nth(1)).to_have_text(
        "Mean return over 63 sessions by letter"
    )
    expect(page.locator(".part.published h2")).to_have_text("Published grades")
    yield "record"
