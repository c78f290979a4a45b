"""Each stage writes a version of its own, from the versions that it is given, and changes no other."""

import json
import os
import time
from hashlib import sha256
from pathlib import Path

import polars as pl

from tests.unit.apps.support.published import FIRST, SECOND, THIRD, Orchestrator, content
from tests.unit.apps.support.stage_process import result

DATASETS = ("prices", "scores", "sentiment")


def reference(version: dict) -> dict:
    return {key: version[key] for key in ("path", "sha256")}


def test_what_a_version_says_of_itself_is_what_it_holds(airflow: Orchestrator) -> None:
    versions = {dataset: airflow.publish(dataset) for dataset in DATASETS}
    for dataset, version in versions.items():
        folder = airflow.folder(dataset)
        manifest = (folder / "manifest.json").read_bytes()
        assert sha256(manifest).hexdigest() == version["sha256"]
        read = json.loads(manifest)
        assert (read["batch"], read["version"]) == (FIRST, folder.name)
        assert {key: version[key] for key in ("files", "inputs", "earlier")} == {
            key: read[key] for key in ("files", "inputs", "earlier")
        }
        found = content(folder)
        assert {mode for mode, _ in found.values()} == {"0o100444"}
        assert {name: each["sha256"] for name, each in version["files"].items()} == {
            name: digest for name, (_, digest) in found.items() if name != "manifest.json"
        }
    assert versions["prices"]["inputs"] == {}
    for dataset in ("scores", "sentiment"):
        assert versions[dataset]["inputs"] == {"prices": reference(versions["prices"])}


def test_results_name_the_files_in_the_version(airflow: Orchestrator) -> None:
    for dataset, stage in (("prices", "ingestion"), ("scores", "scorer"), ("sentiment", "sentiment")):
        version = airflow.publish(dataset)
        outputs = result(stage, airflow.data, FIRST)["outputs"]
        assert {output.rpartition("/")[0] for output in outputs} == {version["path"]}
        assert {output.rpartition("/")[2] for output in outputs} <= set(version["files"])


def test_no_run_changes_a_version(airflow: Orchestrator) -> None:
    """Re-runs with fewer symbols, other settings and later batches; published, not, and by hand."""
    for dataset in DATASETS:
        airflow.publish(dataset)
    before = content(airflow.data / "prices") | content(airflow.data / "company_reports")
    assert airflow.run("prices", INGESTION_SYMBOLS="KO").returncode == 0
    assert airflow.run("scores", SCORER_STALE_DAYS="0").returncode == 0
    consensus = {"SENTIMENT_USE_CONSENSUS": "true", "SENTIMENT_CONSENSUS_LIMIT": "1"}
    assert airflow.run("sentiment", **consensus).returncode == 0
    for dataset in DATASETS:
        airflow.publish(dataset, SECOND)
    assert airflow.run("prices", THIRD, RANKALPHA_OUTPUT="").returncode == 0  # by hand
    after = content(airflow.data / "prices") | content(airflow.data / "company_reports")
    assert {name: after.get(name) for name in before} == before
    assert len(after) > len(before)


def test_only_the_given_version_is_read(airflow: Orchestrator) -> None:
    """Unpublished prices of the batch lie beside the published ones, some in the older layout."""
    airflow.publish("prices")
    assert airflow.run("prices", INGESTION_SYMBOLS="KO").returncode == 0
    assert airflow.run("prices", INGESTION_SYMBOLS="KO", RANKALPHA_OUTPUT="").returncode == 0
    for dataset, file in (("scores", "scores.parquet"), ("sentiment", "sentiment.json")):
        airflow.publish(dataset)
        path = airflow.folder(dataset) / file
        read = pl.read_parquet(path, glob=False) if file.endswith("parquet") else read_symbols(path)
        assert read["symbol"].to_list() == ["AAPL", "JPM", "KO", "PG", "XOM"]


def read_symbols(path: Path) -> pl.DataFrame:
    return pl.DataFrame(json.loads(path.read_text())["symbols"])


def test_a_batch_continues_the_published_prices_and_links_what_is_unchanged(airflow: Orchestrator) -> None:
    first = airflow.publish("prices", SECOND)  # a Saturday; on Sunday nothing is new
    assert airflow.run("prices", "2026-11-21T18:00:00", INGESTION_SYMBOLS="KO").returncode == 0
    third = airflow.publish("prices", THIRD)
    assert third["earlier"] == [reference(first)]
    assert result("ingestion", airflow.data, THIRD)["details"]["reused"] is True
    files = [airflow.folder("prices", key) / "prices.parquet" for key in (SECOND, THIRD)]
    assert files[0].samefile(files[1])


def test_what_the_batch_before_holds_is_taken_over_when_its_source_is_the_same(
    airflow: Orchestrator, tmp_path: Path
) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "AAA.csv").write_text("date,close\n2026-11-18,10.0\n2026-11-19,11.0\n")
    csv = {"INGESTION_SOURCE": "csv", "INGESTION_CSV_DIR": str(folder), "INGESTION_SYMBOLS": ""}
    age(folder / "AAA.csv")
    first = airflow.publish("prices", **csv)
    second = airflow.publish("prices", SECOND, **csv)
    assert second["files"] == first["files"]
    assert second["earlier"] == [reference(first)]
    for name in first["files"]:
        assert (airflow.folder("prices") / name).samefile(airflow.folder("prices", SECOND) / name)


def age(path: Path) -> None:
    """Let a file be written a minute ago: what was written just now is read again the next time."""
    os.utime(path, (time.time() - 60,) * 2)


def test_ratings_are_carried_from_published_reports_only(airflow: Orchestrator) -> None:
    within = {"SENTIMENT_SKIP_IF_WITHIN_DAYS": "3"}
    for key in (FIRST, SECOND, THIRD):
        airflow.publish("prices", key)
    first = airflow.publish("sentiment", FIRST)
    assert airflow.run("sentiment", SECOND).returncode == 0  # not published
    third = airflow.publish("sentiment", THIRD, **within)
    assert third["earlier"] == [reference(first)]
    read = read_symbols(airflow.folder("sentiment", THIRD) / "sentiment.json")
    assert read["reused"].all()
    assert read["analysed"].unique().to_list() == [FIRST[:10]]


def test_a_stage_by_hand_uses_the_folder_of_the_batch(airflow: Orchestrator) -> None:
    for dataset, folder in (("prices", "prices"), ("scores", "prices"), ("sentiment", "company_reports")):
        assert airflow.run(dataset, RANKALPHA_OUTPUT="").returncode == 0
        stage = {"prices": "ingestion", "scores": "scorer", "sentiment": "sentiment"}[dataset]
        report = result(stage, airflow.data, FIRST)
        assert "version" not in report
        assert report["outputs"][0].startswith(f"{folder}/{FIRST}/")
    assert not list(airflow.data.rglob("manifest.json"))


def test_the_first_batch_after_an_upgrade_continues_the_older_layout(airflow: Orchestrator) -> None:
    within = {"SENTIMENT_SKIP_IF_WITHIN_DAYS": "3"}
    for dataset in DATASETS:
        assert airflow.run(dataset, RANKALPHA_OUTPUT="").returncode == 0
    before = {name: digest for name, (_, digest) in content(airflow.data).items()}
    assert airflow.publish("prices", SECOND)["earlier"] == []
    assert result("ingestion", airflow.data, SECOND)["details"]["new_rows"] == 5  # a day of each
    airflow.publish("scores", SECOND)
    airflow.publish("sentiment", SECOND, **within)
    assert read_symbols(airflow.folder("sentiment", SECOND) / "sentiment.json")["reused"].all()
    after = {name: digest for name, (_, digest) in content(airflow.data).items()}
    assert {name: after.get(name) for name in before} == before


def test_a_batch_of_the_older_layout_can_be_read_by_stages_that_write_versions(airflow: Orchestrator) -> None:
    """Prices were published before the upgrade; scoring and sentiment are run again after it."""
    assert airflow.run("prices", RANKALPHA_OUTPUT="").returncode == 0
    for dataset in ("scores", "sentiment"):
        assert airflow.publish(dataset)["inputs"] == {}


def test_a_version_of_an_older_batch_is_read_and_recorded(airflow: Orchestrator) -> None:
    """The version of an older batch serves a newer one when nothing is new."""
    made = airflow.publish("prices")
    airflow.published["prices", SECOND] = airflow.published["prices", FIRST]
    assert airflow.publish("scores", SECOND)["inputs"] == {"prices": reference(made)}
