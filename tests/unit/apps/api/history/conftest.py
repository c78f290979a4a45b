"""An API without any batch yet."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from apps.api.app import create_app
from apps.api.settings import Settings
from tests.unit.apps.support.local_servers import served
from tests.unit.apps.support.ranked_days import FIRST, NEWCOMER, SECOND, THIRD, show


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def client(data: Path) -> Iterator[httpx.Client]:
    with api(data) as client:
        yield client


@contextmanager
def api(data: Path) -> Iterator[httpx.Client]:
    """Serve the API; give a client whose paths are those below /api/v1/grading/."""
    with served(create_app(Settings(data_dir=data))) as client:
        client.base_url = client.base_url.join("/api/v1/grading/")
        yield client


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three batches: NEW comes with the second, XOM goes with the third."""
    data = tmp_path_factory.mktemp("built") / "data"
    with api(data) as client:
        show(client, data, FIRST, sentiment={"AAPL": 0.5})
        show(client, data, SECOND, NEWCOMER)
        show(client, data, THIRD, {symbol: raw for symbol, raw in NEWCOMER.items() if symbol != "XOM"})
    return data


@pytest.fixture
def three(client: httpx.Client, data: Path, built: Path) -> httpx.Client:
    """An API with a copy of them."""
    shutil.copytree(built, data)
    return client
