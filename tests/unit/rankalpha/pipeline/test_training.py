"""Training of models: what a table may say, and what it changes for a batch: nothing."""

import pytest

from rankalpha.health.records import Records, batch_of
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.markets import read
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.training import Training
from rankalpha.settings import SettingsError

KEY = "2026-11-22T06:00:00"
TRAINS = Pipeline.of(Market(training=Training()))


def test_a_table_may_be_empty_or_name_its_schedule(tmp_path):
    file = tmp_path / "markets.toml"
    file.write_text("[default.training]\n[nyse.training]\nschedule = '0 5 1 * *'\n[lse]\n")
    assert [market.training for market in read(file)] == [Training(), Training(schedule="0 5 1 * *"), None]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("horizon = 5", "[default] training.horizon = 5: unknown key; expected schedule, approval_days"),
        ("schedule = 'daily'", "[default] training.schedule = 'daily': is not a cron expression"),
    ],
)
def test_a_mistake_is_told_with_what_is_expected(tmp_path, table, problem):
    file = tmp_path / "markets.toml"
    file.write_text(f"[default.training]\n{table}\n")
    with pytest.raises(SettingsError) as refused:
        read(file)
    assert problem in str(refused.value)


def event(dataset, minute, run_id):
    at = f"2026-11-22T06:{minute:02}:00+00:00"
    return {dataset: [{"timestamp": at, "source_run_id": run_id, "extra": {}}]}


def test_a_batch_is_not_waited_for_and_nothing_is_lost_without_a_model():
    def state(*events):
        found = {dataset: of for each in events for dataset, of in each.items()}
        return batch_of(TRAINS, KEY, Records({}, found), ()).steps

    prices = event("prices", 1, "i")
    assert state()["training"].state == "waiting"
    assert state(prices)["training"].state == "skipped"
    assert state(prices)["scoring"].state == "lost"
    assert state(prices, event("models", 2, "t"))["training"].state == "done"
    again = event("prices", 3, "i")  # a model of the prices before stays one
    assert state(again, event("models", 2, "t"))["training"].state == "done"
    assert state(prices)["training"].optional


def test_its_dag_is_one_of_the_pipeline_that_no_dataset_starts():
    assert "rankalpha_training" in TRAINS.dag_ids
    assert "rankalpha_training" not in TRAINS.consumers
    assert TRAINS.scheduled == ("rankalpha_training",)
    assert TRAINS.step_that_writes("models").reads == ("prices",)
