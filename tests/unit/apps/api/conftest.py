"""A batch whose halves are versions."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.apps.support.api_batch import seal_batch
from tests.unit.apps.support.batch_files import KEY


@pytest.fixture
def inputs(data: Path) -> dict[str, Any]:
    """The versions of the batch's halves; nothing is left of the older layout."""
    return seal_batch(data, KEY)
