"""How long batches are kept: sentiment and grades follow their prices, which a setting of ingestion keeps."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from apps.common.batches import Keep, prune_followers
from tests.unit.apps.support.api_batch import REFRESH, write_batch
from tests.unit.apps.support.batch_files import write_appearances, write_sentiment
from tests.unit.apps.support.stage_process import run_sentiment, run_stage

OLD, FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00" for day in (17, 18, 19, 20))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def reports(data: Path, *keys: str) -> None:
    for key in keys:
        write_sentiment(data, {"KO": 0.1}, key)


def test_what_is_older_than_the_oldest_prices_goes(tmp_path: Path) -> None:
    reports(tmp_path, OLD, FIRST, SECOND, THIRD)
    write_appearances(tmp_path, SECOND)
    assert prune_followers(tmp_path / "company_reports") == [OLD, FIRST]
    assert names(tmp_path / "company_reports") == {SECOND, THIRD}


def test_what_a_batch_uses_that_stays_is_kept(tmp_path: Path) -> None:
    """The second batch has the sentiment of the first, for nothing was new."""
    reports(tmp_path, OLD, FIRST)
    write_appearances(tmp_path, SECOND)
    assert prune_followers(tmp_path / "company_reports", needed=Keep(carried={FIRST: SECOND})) == [OLD]
    assert names(tmp_path / "company_reports") == {FIRST}


def test_a_gap_in_the_prices_takes_nothing_along(tmp_path: Path) -> None:
    reports(tmp_path, FIRST, SECOND, THIRD)
    write_appearances(tmp_path, FIRST)
    write_appearances(tmp_path, THIRD)
    assert prune_followers(tmp_path / "company_reports") == []


@pytest.mark.parametrize("prices", [None, "notes", ".hidden"])
def test_without_prices_nothing_goes(tmp_path: Path, prices: str | None) -> None:
    """A volume that is not mounted must not cost all that was made of it."""
    reports(tmp_path, FIRST)
    if prices:
        (tmp_path / "prices" / prices).mkdir(parents=True)
    assert prune_followers(tmp_path / "company_reports") == []
    assert prune_followers(tmp_path / "absent") == []


def test_what_is_no_batch_stays(tmp_path: Path) -> None:
    folder = tmp_path / "grades"
    others = {"notes.txt", "2026-1-2T6:0:0.json", f".{OLD}.json.tmp", "latest.json"}
    folder.mkdir()
    for name in (*others, f"{OLD}.json"):
        (folder / name).touch()
    write_appearances(tmp_path, FIRST)
    assert prune_followers(folder) == [OLD]
    assert names(folder) == others


def test_what_cannot_be_removed_is_named_and_the_rest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reports(tmp_path, OLD, FIRST)
    write_appearances(tmp_path, SECOND)
    rmtree = shutil.rmtree

    def refuse(path: Path) -> None:
        if path.name == OLD:
            raise PermissionError(13, "Permission denied")
        rmtree(path)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    assert prune_followers(tmp_path / "company_reports") == [FIRST]
    assert f"cannot remove the old batch {tmp_path}/company_reports/{OLD}" in caplog.text


def test_sentiment_removes_the_reports_of_batches_whose_prices_are_gone(tmp_path: Path) -> None:
    reports(tmp_path, OLD, FIRST)
    for key in (SECOND, THIRD):
        write_appearances(tmp_path, key)
    path = tmp_path / "result.json"
    done = run_sentiment(tmp_path, THIRD, RANKALPHA_RESULT=str(path))
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "company_reports") == {THIRD}
    assert json.loads(path.read_text())["details"]["pruned"] == 2


def test_sentiment_keeps_a_report_as_long_as_it_is_carried_from(tmp_path: Path) -> None:
    """An analysis that was paid for is not bought again because its prices are gone."""
    write_appearances(tmp_path, FIRST)
    assert run_sentiment(tmp_path, FIRST).returncode == 0
    (tmp_path / "prices" / FIRST / "appearances.json").unlink()
    (tmp_path / "prices" / FIRST).rmdir()
    write_appearances(tmp_path, THIRD)
    assert run_sentiment(tmp_path, THIRD, SENTIMENT_SKIP_IF_WITHIN_DAYS="3").returncode == 0
    assert names(tmp_path / "company_reports") == {FIRST, THIRD}
    assert run_sentiment(tmp_path, THIRD, SENTIMENT_SKIP_IF_WITHIN_DAYS="2").returncode == 0
    assert names(tmp_path / "company_reports") == {THIRD}


def test_grading_removes_the_grades_of_batches_whose_prices_are_gone(
    client: httpx.Client, data: Path
) -> None:
    (data / "grades").mkdir()
    for key in (OLD, FIRST):
        (data / "grades" / f"{key}.json").write_text("{}")
    write_batch(data, FIRST)
    assert client.post(REFRESH, json={"batch": FIRST}).status_code == 200
    assert names(data / "grades") == {f"{FIRST}.json", "history"}


def test_the_setting_of_ingestion_holds_for_all(tmp_path: Path) -> None:
    for key, symbols in ((FIRST, "KO,PG"), (SECOND, "KO,PEP"), (THIRD, "KO,PG")):
        done = run_stage("ingestion", tmp_path, key, INGESTION_KEEP_BATCHES="2", INGESTION_SYMBOLS=symbols)
        assert done.returncode == 0, done.stderr
        done = run_stage("sentiment", tmp_path, key, SENTIMENT_USE_CONSENSUS="false")
        assert done.returncode == 0, done.stderr
    assert names(tmp_path / "prices") == names(tmp_path / "company_reports") == {SECOND, THIRD}
