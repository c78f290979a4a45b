"""What the pages' tests share: a browser, and the ranking page with three days behind it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.browser import chromium
from tests.support.ranking import THIRD, stack, write_batch, write_days


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page as wide as a desk, in which no script fails."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    opened = context.new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    assert opened.complaints == []
    context.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the services' data."""
    return tmp_path_factory.mktemp("ranking")


@pytest.fixture(scope="module")
def frontend(data: Path) -> Iterator[httpx.Client]:
    """A client of the ranking page, with a market beside the default one."""
    with stack(data) as (api, frontend):
        write_days(data, api)
        write_batch(data / "nyse", {"IBM": 70.0, "GE": 30.0}, THIRD)
        api.post("/api/v1/grading/refresh", json={"market": "nyse"}).raise_for_status()
        yield frontend
