"""The real services below one data folder; what stands for Airflow is that of the unit tests."""

from pathlib import Path

import pytest

from rankalpha.settings import settings
from tests.unit.rankalpha.conftest import (  # noqa: F401  fixtures
    app_dir,
    clean_environment,
    profile_dir,
    supervisor,
    variables,
)
from tests.unit.rankalpha.support.together import Together, grading_api


@pytest.fixture
def together(app_dir, profile_dir, tmp_path, monkeypatch):  # noqa: F811
    """Return a function that makes the pipeline of a market, with the sample's prices and headlines."""
    (data := tmp_path / "data").mkdir()
    monkeypatch.setenv("RANKALPHA_APP_DIR", str(Path(__file__).parents[2]))
    monkeypatch.setenv("RANKALPHA_DATA_DIR", str(data))
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    (profile_dir / "ingestion.env").write_text("INGESTION_SOURCE=sample\n")
    (profile_dir / "sentiment.env").write_text("SENTIMENT_HEADLINES=sample\n")
    settings.cache_clear()
    with grading_api(data) as url:
        monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)

        def of(market):
            made = Together(monkeypatch, market)
            made.data, made.url, made.profile, made.patch = data, url, profile_dir, monkeypatch
            return made

        yield of
