"""Which market the page's routes answer for."""

from types import SimpleNamespace

import pytest
from fastapi import HTTPException, Response

from rankalpha.web.page.routes import chosen, read_comparison


@pytest.fixture
def markets(tmp_path, monkeypatch):
    """Return a function that writes the markets' file."""
    path = tmp_path / "markets.toml"
    monkeypatch.setenv("RANKALPHA_MARKETS", str(path))
    return path.write_text


def test_without_a_name_it_is_the_first_market(markets):
    markets("[default]\n[nyse]\n")
    assert [chosen(name).market.name for name in (None, "", "nyse")] == ["default", "default", "nyse"]


@pytest.mark.parametrize("name", ["gone", "nyse/", "x" * 10_000])
def test_a_market_that_does_not_exist_is_refused_with_those_that_do(markets, name):
    markets("[default]\n[nyse]\n")
    with pytest.raises(HTTPException) as refused:
        chosen(name)
    assert refused.value.status_code == 404
    assert refused.value.detail["reason"].startswith(f"There is no market '{name[:100]}")
    assert len(refused.value.detail["reason"]) < 250
    assert refused.value.detail["markets"] == ["default", "nyse"]


def test_a_mistake_in_the_file_of_the_markets_is_not_a_missing_market(markets):
    markets("[default]\nschedule = 7\n")
    with pytest.raises(HTTPException) as refused:
        chosen("default")
    assert refused.value.status_code == 500
    assert "schedule" in refused.value.detail


def test_a_variant_that_does_not_exist_is_refused(markets):
    markets("[default]\n[nyse.variants.rival]\nsentiment_weight = 0.3\n")
    with pytest.raises(HTTPException) as refused:  # before Airflow is asked
        read_comparison(Response(), None, chosen("default"), "rival")
    assert (refused.value.status_code, refused.value.detail[:29]) == (404, "There is no variant 'rival'. ")


def test_a_variant_without_a_comparison_has_no_batches(markets):
    markets("[default.variants.rival]\nsentiment_weight = 0.3\n")
    asked = SimpleNamespace(every=lambda *_, **__: iter(()))
    assert read_comparison(Response(), asked, chosen("default"), "rival") == {"batches": []}
