"""No setting, secret or profile but a test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rankalpha.settings import settings

ROOT = Path(__file__).parents[3]
OWN = ("RANKALPHA_", "AIRFLOW_VAR_", "AIRFLOW_CONN_", "HTTP_PROXY", "http_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the settings of the machine away, and forget what a test has read."""
    for key in [key for key in os.environ if key.startswith(OWN)]:
        monkeypatch.delenv(key)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def profile_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty profile `local` that is the chosen one; returns its folder."""
    folder = tmp_path / "env" / "local"
    folder.mkdir(parents=True)
    for name in ("ingestion", "scorer", "sentiment", "api", "demo"):
        (folder / f"{name}.env").touch()
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(folder.parent))
    return folder
