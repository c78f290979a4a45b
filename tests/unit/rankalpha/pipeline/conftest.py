"""What the tests of the markets share."""

import pytest


@pytest.fixture
def file(tmp_path):
    """Write a file of markets; return its path."""

    def write(text):
        path = tmp_path / "markets.toml"
        path.write_text(text)
        return path

    return write
