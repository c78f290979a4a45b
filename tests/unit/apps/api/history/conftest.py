"""An API without any batch yet."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from apps.api.app import create_app
from apps.api.settings import Settings
from tests.unit.apps.support.local_servers import served


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def client(data: Path) -> Iterator[httpx.Client]:
    with served(create_app(Settings(data_dir=data))) as client:
        client.base_url = client.base_url.join("/api/v1/grading/")
        yield client
