"""A local Yahoo."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.apps.support.yahoo_server import Yahoo, yahoo


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Yahoo]:
    with yahoo(tmp_path) as state:
        yield state
