"""A month of batches of the sample: which are made, in which order, and when the command refuses."""

from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.commands import demo as demo_module
from rankalpha.commands import progress
from rankalpha.commands.demo import demo, keys
from rankalpha.commands.refusals import Refused
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import GRADING_DAG
from tests.unit.rankalpha.support.fake_airflow import CONSUMER_DAGS, INGESTION_DAG, FakeAirflow, serving

MONDAY = datetime(2026, 11, 30, 5, tzinfo=UTC)


def test_the_days_before_today_have_a_key_each_by_the_schedule():
    assert list(keys(Market(), 3, MONDAY)) == [f"2026-11-{day}T06:00:00" for day in (27, 28, 29)]
    weekdays = Market(name="nyse", schedule="30 21 * * 1-5")
    assert list(keys(weekdays, 4, MONDAY)) == ["2026-11-26T21:30:00", "2026-11-27T21:30:00"]


@pytest.fixture
def airflow(monkeypatch, profile_dir):
    """An Airflow in which a triggered batch is graded at the first look, unless `fails` has its day."""
    found = FakeAirflow()
    found.fails = set()
    (profile_dir / "ingestion.env").write_text("INGESTION_SOURCE=sample\n")
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.01)

    def run_all():
        for run in [run for run in found.runs[INGESTION_DAG] if run["state"] == "queued"]:
            run["state"] = "failed" if run["partition_key"][:10] in found.fails else "success"
            if run["state"] == "success":
                for dag_id in CONSUMER_DAGS:
                    found.add(dag_id, "success", run["partition_key"])
                found.events.append({"name": "grades", "partition_key": run["partition_key"]})

    found.on_look = run_all
    with serving(found) as (api, _):
        monkeypatch.setattr(demo_module, "admin_api", lambda: api)
        yield found


def day(ago):
    return f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%d}"


def made(airflow):
    return [run["partition_key"] for run in airflow.runs[INGESTION_DAG]]


def test_only_missing_days_are_made_oldest_first(airflow, capsys):
    airflow.events.append({"name": "grades", "partition_key": f"{day(2)}T09:30:00"})  # by hand
    assert demo(3, None) == 0
    assert made(airflow) == [f"{day(3)}T06:00:00", f"{day(1)}T06:00:00"]
    text = capsys.readouterr().out
    assert "1 batch of 3 there already, 2 to make" in text
    assert f"2 of 2  {day(1)}T06:00:00  graded in" in text
    assert demo(3, None) == 0
    assert len(made(airflow)) == 2
    assert "0 to make" in capsys.readouterr().out


def evaluated_again(airflow):
    """The batches whose evaluation was triggered by hand."""
    return [run["partition_key"] for run in airflow.runs["rankalpha_evaluation"] if run.get("note") == "demo"]


def test_the_newest_batch_is_evaluated_again_because_its_record_lacks_the_days_before(airflow):
    assert demo(1, None) == 0  # the newest batch is made just now
    newest = f"{day(0)}T09:30:00"
    airflow.events.append({"name": "grades", "partition_key": newest})
    assert demo(1, None) == 0  # nothing is made
    assert evaluated_again(airflow) == []
    assert demo(3, None) == 0
    assert evaluated_again(airflow) == [newest]


def test_who_has_paused_the_evaluation_does_without_it(airflow):
    airflow.events.append({"name": "grades", "partition_key": f"{day(0)}T09:30:00"})
    airflow.dags["rankalpha_evaluation"]["is_paused"] = True
    assert demo(1, None) == 0
    assert evaluated_again(airflow) == []


def test_a_batch_that_fails_ends_it_and_is_made_again_the_next_time(airflow, capsys):
    airflow.fails = {day(2)}
    assert demo(3, None) == 1
    assert made(airflow) == [f"{day(3)}T06:00:00", f"{day(2)}T06:00:00"]
    assert f"Failed: {INGESTION_DAG}" in capsys.readouterr().out
    airflow.fails = set()
    assert demo(3, None) == 0
    assert made(airflow)[2:] == [f"{day(2)}T06:00:00", f"{day(1)}T06:00:00"]


def test_a_stopped_demo_goes_on_with_the_batch_that_is_under_way(airflow, monkeypatch, capsys):
    def stop():
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(demo_module, "monitor_execution", lambda *_, **__: stop())
        assert demo(2, None) == 130
    assert "demo --days 2" in capsys.readouterr().out
    assert demo(2, None) == 0
    assert made(airflow) == [f"{day(2)}T06:00:00", f"{day(1)}T06:00:00"]


def test_a_batch_whose_grading_failed_is_made_again(airflow):
    key = f"{day(1)}T06:00:00"
    airflow.add(INGESTION_DAG, "success", key, hours_ago=1)
    airflow.add(GRADING_DAG, "failed", key)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(airflow, "on_look", _graded_anew(airflow, airflow.on_look))
        assert demo(1, None) == 0
    assert made(airflow) == [key, key]


def _graded_anew(airflow, run_all):
    """What happens to a new run: those after it are newer than the one that had failed."""

    def look():
        run_all()
        if len(airflow.runs[INGESTION_DAG]) > 1:
            airflow.runs[GRADING_DAG] = [run for run in airflow.runs[GRADING_DAG] if run["state"] != "failed"]

    return look


def test_another_source_is_refused(airflow, profile_dir):
    (profile_dir / "ingestion.env").write_text("INGESTION_SOURCE=yahoo\n")
    with pytest.raises(Refused, match="INGESTION_SOURCE is yahoo, and a demo is made of the sample"):
        demo(3, None)
    assert made(airflow) == []


def test_a_paused_ingestion_is_refused(airflow):
    airflow.dags[INGESTION_DAG]["is_paused"] = True
    with pytest.raises(Refused, match="is paused"):
        demo(3, None)
    assert made(airflow) == []
