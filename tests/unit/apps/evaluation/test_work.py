"""The evaluation stage as the orchestrator runs it, after batches that were really ingested and graded."""

import json
import shutil

import polars as pl
import pytest

from tests.unit.apps.support.published import FIRST, SECOND, THIRD, Orchestrator, overwrite
from tests.unit.apps.support.stage_process import result

WEEK = tuple(f"2026-11-{day}T06:00:00" for day in (17, 18, 19))  # of the sessions 16 to 18 November


def graded(airflow: Orchestrator, *keys: str) -> Orchestrator:
    for key in keys:
        for dataset in ("prices", "scores", "sentiment"):
            airflow.publish(dataset, key)
        airflow.grade(key)
    return airflow


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """Three graded sessions that nobody has evaluated; tests copy it."""
    return graded(Orchestrator(tmp_path_factory.mktemp("week")), *WEEK)


@pytest.fixture
def airflow(week, tmp_path):
    shutil.copytree(week.data, tmp_path, dirs_exist_ok=True)
    return Orchestrator(tmp_path, dict(week.published), week.started)


def evaluated(airflow, key, **settings):
    airflow.publish("evaluations", key, **settings)
    return json.loads((airflow.folder("evaluations", key) / "evaluation.json").read_text())


def record(airflow, key):
    return pl.read_parquet(airflow.folder("evaluations", key) / "record.parquet", glob=False)


def sessions(airflow, key):
    rows = record(airflow, key).select("session", "batch").unique().sort("session").rows()
    return [(f"{session:%d}", batch) for session, batch in rows]


def without_versions(airflow, key):
    """Leave prices and grades of a batch as images without versions do; return the file of the prices."""
    for dataset, target in (("prices", f"{key}/prices.parquet"), ("grades", f"{key}.json")):
        (file,) = airflow.folder(dataset, key).glob(f"{dataset}.*")
        shutil.copy(file, airflow.data / dataset / target)
        del airflow.published[dataset, key]
    return airflow.data / "prices" / key / "prices.parquet"


def test_live_record_and_backtest(airflow):
    found = evaluated(airflow, WEEK[2], EVALUATION_EVERY="")
    live, past = found["live"], found["backtest"]
    assert (live["gradings"], live["first"], live["last"]) == (3, "2026-11-16", "2026-11-18")
    day = live["figures"]["composite"]["1"]
    assert (day["sessions"], day["coverage"]) == (2, 1.0)
    prices = pl.read_parquet(airflow.folder("prices", WEEK[2]) / "prices.parquet", glob=False)
    rows = record(airflow, WEEK[2])
    expected = []
    for batch, (now, then) in zip(WEEK, ((16, 17), (17, 18)), strict=False):
        closes = {
            symbol: dict(part.select(pl.col("date").dt.day(), "close").tail(3).iter_rows())
            for (symbol,), part in prices.group_by("symbol")
        }
        of_batch = rows.filter(batch=batch)
        gains = [closes[symbol][then] / closes[symbol][now] for symbol in of_batch["symbol"]]
        ranks = pl.DataFrame({"x": of_batch["composite"].rank(), "y": pl.Series(gains).rank()})
        expected.append(ranks.select(pl.corr("x", "y")).item())
    assert day["ic"] == pytest.approx(sum(expected) / 2, abs=1e-9)
    assert past["every"] == 21
    assert past["gradings"] > 300
    assert past["figures"]["score"]["21"]["t"] is not None
    assert "sentiment" not in past["figures"]
    assert past["limits"]
    assert live["limits"]


def test_without_returns_it_says_so_and_is_no_failure(airflow):
    live = evaluated(airflow, WEEK[0])["live"]
    assert live["gradings"] == 1
    for figures in live["figures"].values():
        for measures in figures.values():
            assert (measures["sessions"], measures["ic"], measures["by_period"]) == (0, None, [])


def test_the_result_has_what_the_contract_checks_and_names_its_prices(airflow):
    from datasets import EVALUATIONS_CONTRACT

    version = airflow.publish("evaluations", WEEK[2])
    for dataset in ("grades", "prices"):
        path, sha256 = airflow.published[dataset, WEEK[2]]
        assert version["inputs"][dataset] == {"path": path, "sha256": sha256}
    found = result("evaluation", airflow.data, WEEK[2])
    assert (found["rows"], found["symbols"], found["as_of"]) == (15, 5, "2026-11-18")
    assert found["details"].keys() == EVALUATIONS_CONTRACT.details.keys()
    outcomes = EVALUATIONS_CONTRACT.evaluate(WEEK[2], found, {}, required=True)
    assert [one["name"] for one in outcomes if not one["passed"] and one["severity"] == "block"] == []


def test_a_session_counts_once_by_its_newest_batch(airflow):
    graded(airflow, FIRST, SECOND, THIRD)  # Friday to Sunday: sessions of 19 and twice 20 November
    evaluated(airflow, THIRD)
    assert sessions(airflow, THIRD)[-2:] == [("19", FIRST), ("20", THIRD)]


def test_the_record_outlives_the_grades_and_misses_no_batch(airflow):
    """The evaluation of the second batch was lost."""
    evaluated(airflow, WEEK[0])
    shutil.rmtree(airflow.folder("grades", WEEK[0]).parent)
    evaluated(airflow, WEEK[2])
    assert [batch for _, batch in sessions(airflow, WEEK[2])] == list(WEEK)


def test_a_batch_that_was_graded_again_takes_its_place(airflow):
    evaluated(airflow, WEEK[1])
    airflow.publish("scores", WEEK[0], SCORER_STALE_DAYS="9")
    airflow.grade(WEEK[0])
    evaluated(airflow, WEEK[2])
    version = record(airflow, WEEK[2]).filter(batch=WEEK[0])["version"].unique().to_list()
    assert version == [airflow.published["grades", WEEK[0]][1]]


def test_prices_are_those_that_the_grades_were_made_from(airflow):
    before = evaluated(airflow, WEEK[2])
    airflow.publish("prices", WEEK[2], INGESTION_SYMBOLS="KO")
    assert evaluated(airflow, WEEK[2]) == before


def test_grades_that_were_changed_are_passed_over_with_a_warning(airflow):
    overwrite(airflow.folder("grades", WEEK[0]) / "grades.json", b"{}")
    done = airflow.run("evaluations", WEEK[2])
    assert done.returncode == 0, done.stderr
    assert "warning: passed over" in done.stdout
    found = result("evaluation", airflow.data, WEEK[2])["details"]
    assert (found["unread"], found["live_gradings"]) == (1, 2)


@pytest.mark.parametrize("dataset", ["grades", "prices"])
def test_changed_inputs_end_it(airflow, dataset):
    (file,) = airflow.folder(dataset, WEEK[2]).glob(f"{dataset}.*")
    overwrite(file, b"{}")
    done = airflow.run("evaluations", WEEK[2])
    assert done.returncode == 65
    assert str(file) in done.stderr


@pytest.mark.parametrize(
    "spoil",
    [
        lambda frame: frame.with_columns(close=pl.when(symbol="KO").then(0.0).otherwise("close")),
        lambda frame: pl.concat([frame, frame.filter(symbol="KO").tail(1)]).sort("symbol", "date"),
        lambda frame: frame.rename({"close": "price"}),
    ],
)  # fmt: skip
def test_prices_that_cannot_be_used_end_it(airflow, spoil):
    """An image of one's own may have written them, and the scores too."""
    file = without_versions(airflow, WEEK[2])
    spoiled = spoil(pl.read_parquet(file, glob=False))
    file.unlink()
    spoiled.write_parquet(file)
    done = airflow.run("evaluations", WEEK[2])
    assert done.returncode == 65
    assert str(file) in done.stderr


def test_prices_that_are_gone_are_named(airflow):
    shutil.rmtree(airflow.folder("prices", WEEK[2]))
    done = airflow.run("evaluations", WEEK[2])
    assert done.returncode == 65
    assert airflow.published["prices", WEEK[2]][0] in done.stderr


def test_a_symbol_that_was_renamed_is_named_and_lacks_in_the_coverage(airflow):
    """The source knows it by its new name alone."""
    airflow.publish("prices", WEEK[2], INGESTION_SYMBOLS="AAPL,JPM,PG,XOM")
    for dataset in ("scores", "sentiment"):
        airflow.publish(dataset, WEEK[2])
    airflow.grade(WEEK[2])
    done = airflow.run("evaluations", WEEK[2])
    assert done.returncode == 0, done.stderr
    assert "no prices of KO any more" in done.stdout
    assert result("evaluation", airflow.data, WEEK[2])["details"]["live_coverage_1"] == 0.8


UNIVERSE = "symbol,name,sector,from,to\nKO,Coca-Cola,Food,,2020-01-31\nNEW,New,Food,,\n"


def test_universe_csv_says_who_is_ranked_in_the_past_and_may_list_others(airflow):
    airflow.data.joinpath("prices", "universe.csv").write_text(UNIVERSE)
    graded(airflow, FIRST)
    assert "universe.csv" in evaluated(airflow, FIRST)["backtest"]["limits"][0]


def test_dates_of_universe_csv_that_overlap_end_it(airflow):
    """An ingestion image of one's own may not look."""
    universe = without_versions(airflow, WEEK[2]).with_name("universe.csv")
    universe.write_text(f"{UNIVERSE}KO,Coke,Food,2020-01-01,\n")
    done = airflow.run("evaluations", WEEK[2])
    assert done.returncode == 65
    assert f"{universe}: line 4, symbol KO: its dates overlap" in done.stderr


def test_an_api_without_versions(airflow):
    without_versions(airflow, WEEK[2])
    assert evaluated(airflow, WEEK[2])["live"]["gradings"] == 3


def test_the_record_that_it_goes_on_from_outlives_its_prices(airflow):
    """This evaluation may not be published, and then the next one goes on from the same."""
    for key in WEEK[:2]:
        evaluated(airflow, key)
    for key in WEEK[:2]:
        shutil.rmtree(airflow.data / "prices" / key)
    assert airflow.run("evaluations", WEEK[2]).returncode == 0
    assert not airflow.folder("evaluations", WEEK[0]).exists()
    shutil.rmtree(airflow.data / "grades" / WEEK[0])
    evaluated(airflow, WEEK[2])
    assert sessions(airflow, WEEK[2]) == [("16", WEEK[0]), ("17", WEEK[1]), ("18", WEEK[2])]
