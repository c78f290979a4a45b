"""Which versions are removed: those that nobody has published, after some days, and those of old batches."""

import os
import time
from pathlib import Path

import httpx
import pytest

from apps.common.batches import Keep, sweep
from tests.unit.apps.support.api_batch import PUBLISH, REFRESH, seal_batch
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.published import FIRST, SECOND, THIRD, Orchestrator, content

DAY = 86_400


def age(folder: Path, days: float) -> None:
    os.utime(folder, (time.time() - days * DAY,) * 2)


def kept(airflow: Orchestrator, **more: object) -> dict[str, object]:
    return {"since": "", "versions": [path for path, _ in airflow.published.values()], **more}


def versions(folder: Path) -> set[str]:
    return {f"{path.parent.name}/{path.name}" for path in folder.glob("*/*") if path.is_dir()}


def make(volume: Path, key: str, name: str, days: float) -> str:
    folder = volume / key / name
    folder.mkdir(parents=True)
    (folder / "file").touch(mode=0o444)
    age(folder, days)
    return f"{volume.name}/{key}/{name}"


def test_what_nobody_has_published_goes_after_some_days(tmp_path: Path) -> None:
    volume = tmp_path / "prices"
    published = make(volume, FIRST, "ingestion-a-1", 30)
    make(volume, FIRST, "ingestion-a-2", 8)
    make(volume, FIRST, "scorer-a-1", 6)
    make(volume, SECOND, "ingestion-b-1", 8)
    (volume / "csv" / "mine").mkdir(parents=True)
    age(volume / "csv" / "mine", 99)
    assert sweep(volume, Keep(versions=frozenset({published}))) == 2
    assert versions(volume) == {f"{FIRST}/ingestion-a-1", f"{FIRST}/scorer-a-1", "csv/mine"}
    assert not (volume / SECOND).exists()
    assert sweep(volume, Keep(versions=frozenset({published}), days=5)) == 1


def test_what_was_superseded_a_moment_ago_is_kept_however_old_it_is(tmp_path: Path) -> None:
    """A person must be able to publish it again, with what it was made from."""
    volume = tmp_path / "prices"
    first = make(volume, FIRST, "ingestion-a-1", 30)
    assert sweep(volume, Keep(versions=frozenset({first}))) == 0  # by the batch before
    second = make(volume, FIRST, "ingestion-b-1", 0)
    before = content(volume)
    assert sweep(volume, Keep(versions=frozenset({second}))) == 0
    assert content(volume) == before
    age(tmp_path / first, 8)
    assert sweep(volume, Keep(versions=frozenset({second}))) == 1
    assert versions(volume) == {f"{FIRST}/ingestion-b-1"}


def test_of_batches_that_the_list_does_not_reach_nothing_is_swept(tmp_path: Path) -> None:
    """It is cut, or Airflow's database is a new one that knows of no batch, or of few."""
    volume = tmp_path / "prices"
    for key in (FIRST, SECOND, THIRD):
        make(volume, key, "ingestion-a-1", 30)
    published = make(volume, SECOND, "ingestion-a-2", 30)
    assert sweep(volume, Keep()) == 0
    assert sweep(volume, Keep(since=THIRD, versions=frozenset({published}))) == 1
    assert sweep(volume, Keep(versions=frozenset({published}))) == 1
    assert versions(volume) == {f"{FIRST}/ingestion-a-1", f"{SECOND}/ingestion-a-2"}


def test_files_beside_versions_stay(tmp_path: Path) -> None:
    """As the headlines and ratings that a batch has paid for, or the files of the older layout."""
    volume = tmp_path / "company_reports"
    published = make(volume, FIRST, "sentiment-a-1", 30)
    make(volume, SECOND, "sentiment-a-1", 30)
    (volume / SECOND / "ratings.json").write_text("{}")
    assert sweep(volume, Keep(versions=frozenset({published}))) == 1
    assert (volume / SECOND / "ratings.json").is_file()


def test_the_stages_sweep_their_volume(airflow: Orchestrator) -> None:
    for dataset in ("prices", "scores", "sentiment"):
        assert airflow.run(dataset).returncode == 0  # not published
        airflow.publish(dataset)
    everything = [*airflow.data.glob("prices/*/*"), *airflow.data.glob("company_reports/*/*")]
    assert len(everything) == 6
    for folder in everything:
        age(folder, 10)
    for dataset in ("prices", "sentiment"):
        airflow.publish(dataset, SECOND, keep=kept(airflow))
    left = versions(airflow.data / "prices") | versions(airflow.data / "company_reports")
    assert left == {path.partition("/")[2] for path, _ in airflow.published.values()}


def test_without_the_list_nothing_is_swept(airflow: Orchestrator) -> None:
    assert airflow.run("prices").returncode == 0
    for folder in airflow.data.glob("prices/*/*"):
        age(folder, 100)
    airflow.publish("prices", SECOND)
    assert len(versions(airflow.data / "prices")) == 2


def test_trials_do_not_push_out_what_is_published(airflow: Orchestrator) -> None:
    """INGESTION_KEEP_BATCHES counts published batches; a trial is no batch that anybody reads."""
    two = {"INGESTION_KEEP_BATCHES": "2"}
    for key in (FIRST, SECOND):
        airflow.publish("prices", key, keep=kept(airflow), **two)
    for day in (22, 23, 24):
        assert airflow.run("prices", f"2026-11-{day}T06:00:00", keep=kept(airflow), **two).returncode == 0
    for key in (FIRST, SECOND):
        assert (airflow.folder("prices", key) / "prices.parquet").is_file()
    for day, symbols in ((25, "KO,PG"), (26, "KO,PEP"), (27, "KO,PG")):
        new = {**two, "INGESTION_SYMBOLS": symbols}
        airflow.publish("prices", f"2026-11-{day}T06:00:00", keep=kept(airflow), **new)
    left = {path.name[:10] for path in (airflow.data / "prices").iterdir()}
    assert left == {f"2026-11-{day}" for day in (22, 23, 24, 25, 26, 27)}


def test_a_batch_stays_while_one_that_stays_uses_a_version_of_it(airflow: Orchestrator) -> None:
    two = {"INGESTION_KEEP_BATCHES": "2"}
    carried = {FIRST: THIRD}  # whose scores are those of the first

    def left_after(day: int) -> set[str]:
        new = {**two, "INGESTION_SYMBOLS": ("KO,PG", "KO,PEP")[day % 2]}
        airflow.publish("prices", f"2026-11-{day}T06:00:00", keep=kept(airflow, carried=carried), **new)
        return {path.name[8:10] for path in (airflow.data / "prices").iterdir()}

    for day in (20, 21, 22, 23):
        left_after(day)
    assert left_after(24) == {"20", "22", "23", "24"}
    assert left_after(25) == {"23", "24", "25"}


def test_batches_from_before_the_upgrade_are_pruned_as_they_were(airflow: Orchestrator) -> None:
    for key, symbols in ((FIRST, "KO,PG"), (SECOND, "KO,PEP")):
        unversioned = {"RANKALPHA_OUTPUT": "", "INGESTION_SYMBOLS": symbols}
        assert airflow.run("prices", key, **unversioned).returncode == 0
    airflow.publish("prices", THIRD, keep=kept(airflow), INGESTION_KEEP_BATCHES="1")
    assert {path.name for path in (airflow.data / "prices").iterdir()} == {SECOND, THIRD}


@pytest.mark.parametrize("value", ["[]", "{", '{"days": 0}'])
def test_a_list_that_cannot_be_used_is_named(airflow: Orchestrator, value: str) -> None:
    done = airflow.run("prices", RANKALPHA_KEEP=value)
    assert done.returncode == os.EX_CONFIG
    assert "RANKALPHA_KEEP=" in done.stderr


def test_grades_that_nobody_has_published_are_swept_but_not_those_that_are_shown(
    client: httpx.Client, data: Path
) -> None:
    inputs = seal_batch(data, KEY)
    names = [f"grading-0a1b2c3d-{number}" for number in (1, 2, 3)]
    for name in names:
        answer = client.post(REFRESH, json={"batch": KEY, "version": name, "inputs": inputs}).json()
        age(data / answer["version"]["path"], 10)
        if name == names[1]:
            version = {key: answer["version"][key] for key in ("path", "sha256")}
            assert client.post(PUBLISH, json={"batch": KEY, "version": version}).status_code == 200
    keep = {"versions": [f"grades/{KEY}/{names[2]}"], "since": ""}
    client.post(REFRESH, json={"batch": KEY, "version": "grading-0a1b2c3d-4", "inputs": inputs, "keep": keep})
    assert {path.name for path in (data / "grades" / KEY).iterdir()} == {*names[1:], "grading-0a1b2c3d-4"}
