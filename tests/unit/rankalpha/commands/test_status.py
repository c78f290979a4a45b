"""What `rankalpha status` shows of Airflow, and the addresses."""

import pytest

from rankalpha.commands.status import address_rows, airflow_rows, table
from tests.unit.rankalpha.support.fake_airflow import INGESTION_DAG, FakeAirflow, serving

OLD, NEW = "2025-11-19T06:00:00", "2025-11-20T06:00:00"
GRADED = {"name": "grades", "partition_key": NEW, "timestamp": "2025-11-20T06:01:02.5Z"}


@pytest.fixture
def airflow() -> FakeAirflow:
    airflow = FakeAirflow()
    airflow.add(INGESTION_DAG, "success", NEW, hours_ago=2)
    airflow.add(INGESTION_DAG, "success", OLD)  # re-run since
    return airflow


def rows(airflow: FakeAirflow) -> list[tuple[str, str]]:
    with serving(airflow) as (api, _):
        return list(airflow_rows(api))


def test_a_healthy_airflow_and_its_newest_batch(airflow):
    airflow.events = [{**GRADED, "name": "grades_of_others"}, {**GRADED, "partition_key": OLD}, GRADED]
    assert rows(airflow) == [
        ("Airflow", "healthy"),
        ("newest batch", f"{NEW}, graded at 2025-11-20 06:01:02 UTC"),
    ]


def test_a_batch_that_is_not_graded_and_a_component_that_is_down(airflow):
    airflow.health |= {"scheduler": "unhealthy", "triggerer": None}
    assert rows(airflow) == [
        ("Airflow", "scheduler is unhealthy, triggerer is not running"),
        ("newest batch", f"{NEW}, not graded yet"),
    ]


def test_without_any_batch_there_is_none():
    assert rows(FakeAirflow())[1] == ("newest batch", "none yet")


def test_an_airflow_that_does_not_answer_is_what_is_shown(airflow):
    with serving(airflow) as (api, _):
        pass  # no longer served
    (row,) = airflow_rows(api)
    assert row[0] == "Airflow"
    assert f"Airflow does not answer at {api.url}" in row[1]


def test_the_ranking_of_each_market_has_its_address(monkeypatch, tmp_path):
    (tmp_path / "markets.toml").write_text("[default]\n[nyse]\n")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    shown = address_rows("http://a", "http://b", "http://c")
    assert table(list(shown)).splitlines() == [
        "Airflow          http://a",
        "operators' page  http://a/plugin/rankalpha",
        "grading API      http://b",
        "ranking          http://c/",
        "ranking of nyse  http://c/?market=nyse",
    ]
