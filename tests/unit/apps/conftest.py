"""The grading API on a batch whose halves are both there."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from apps.api.app import create_app
from apps.api.settings import Settings
from tests.unit.apps.support.api_batch import write_batch
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.local_servers import served


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data root with one batch whose halves are both there."""
    root = tmp_path / "data"
    write_batch(root, KEY)
    return root


@pytest.fixture
def client(data: Path) -> Iterator[httpx.Client]:
    """The API that works on `data`."""
    with served(create_app(Settings(data_dir=data))) as client:
        yield client
