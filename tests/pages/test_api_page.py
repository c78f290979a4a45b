"""The page about the API, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.support.accessibility import stumbles
from tests.support.ranking import THIRD, stack, write_days

BATCHES = "#operations-record-list_batches_api_v1_grading_batches_get"


@pytest.fixture(scope="module")
def api(data):
    """A client of the API of three graded days."""
    with stack(data) as (api, _):
        write_days(data, api)
        yield api


@pytest.fixture
def page(browser, api):
    """The page; what it loads, and what it complains about."""
    page = browser.new_context().new_page()
    page.loaded, page.complaints = [], []
    page.on("request", lambda request: page.loaded.append(request.url))
    page.on("console", lambda line: page.complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{api.base_url}/docs")
    yield page
    assert page.complaints == []
    page.context.close()


def ask(page):
    """Ask the API for its batches, as a person does."""
    batches = page.locator(BATCHES)
    batches.locator("button").first.click()
    batches.get_by_role("button", name="Try it out").click()
    batches.get_by_role("button", name="Execute").click()
    expect(batches.locator(".live-responses-table .highlight-code").first).to_contain_text(THIRD)


def test_it_describes_the_api_loads_nothing_from_elsewhere_and_asks(page, api):
    ask(page)
    assert all(url.startswith((str(api.base_url), "data:")) for url in page.loaded)


def test_an_address_leads_to_an_operation(page):
    page.locator(f"{BATCHES} button").first.click()
    expect(page.locator(f"{BATCHES}.is-open")).to_be_visible()
    assert page.evaluate("location.hash") == "#/record/list_batches_api_v1_grading_batches_get"
    page.reload()
    expect(page.locator(f"{BATCHES}.is-open")).to_be_visible()


def test_axe_finds_nothing(page):
    page.locator(BATCHES).wait_for()
    assert stumbles(page) == []
    ask(page)
    for operation in (page.locator(part).first for part in (".opblock-get", ".opblock-post")):
        operation.locator("button").first.click()
        operation.get_by_role("button", name="Try it out").click()
    schema = page.locator("article.json-schema-2020-12").first
    schema.locator(".json-schema-2020-12-accordion").first.click()
    expect(schema.locator(".json-schema-2020-12-property").first).to_be_visible()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert stumbles(page) == []
