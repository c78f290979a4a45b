"""The page about the API, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.ranking import THIRD, stack, write_days


@pytest.fixture
def api(tmp_path: Path):
    """A client of the API of three graded days."""
    with stack(tmp_path) as (api, _):
        write_days(tmp_path, api)
        yield api


def test_it_describes_the_api_loads_nothing_from_elsewhere_and_asks(browser, api) -> None:
    page = browser.new_context().new_page()
    loaded, complaints = [], []
    page.on("request", lambda request: loaded.append(request.url))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{api.base_url}/docs")
    batches = page.locator("#operations-record-list_batches_api_v1_grading_batches_get")
    batches.locator("button").first.click()
    batches.get_by_role("button", name="Try it out").click()
    batches.get_by_role("button", name="Execute").click()
    expect(batches.locator(".live-responses-table .highlight-code").first).to_contain_text(THIRD)
    assert all(url.startswith((str(api.base_url), "data:")) for url in loaded)
    assert complaints == []
    page.context.close()
