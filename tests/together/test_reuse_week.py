"""Days with and without a session, with the real services: a run of each stage a session, each batch graded.

`make test-histories` runs the whole week; else it begins on Thursday.
"""

import csv
import json
import math
import urllib.request
from datetime import date, timedelta

import pytest
from cryptography.fernet import Fernet

from rankalpha.pipeline.market import DEFAULT_MARKET
from rankalpha.pipeline.reuse import contents
from tests.support.figures import ALL

SYMBOLS = ("AAPL", "JPM", "KO", "MSFT", "PG", "XOM")
MONDAY = date(2025, 11, 17)
WEEK = [MONDAY + timedelta(days=day) for day in range(0 if ALL else 3, 7)]
SESSIONS = len(WEEK) - 2


@pytest.fixture
def pipeline(together, profile_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    (profile_dir / "ingestion.env").write_text(f"INGESTION_SOURCE=csv\nINGESTION_CSV_DIR={tmp_path}/csv\n")
    (profile_dir / "evaluation.env").touch()
    made = together(DEFAULT_MARKET.model_copy(update={"calendar": "XNYS"}))
    made.csv = tmp_path / "csv"
    return made


def closes(folder, until):
    """Write each symbol's closes of two years of weekdays up to a day."""
    folder.mkdir(exist_ok=True)
    days = [until - timedelta(days=back) for back in range(700, -1, -1)]
    for number, symbol in enumerate(SYMBOLS, start=1):
        with (folder / f"{symbol}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("date", "close"))
            for day in days:
                if day.weekday() < 5:
                    close = 100 + number * math.sin(day.toordinal() / (20 * number))
                    rows.writerow((day, round(close, 4)))


def made(pipeline, volume, stage):
    """The versions that containers of a stage have written."""
    return list((pipeline.data / volume).glob(f"*/{stage}-*/manifest.json"))


def test_each_session_is_a_run_of_each_stage_and_each_day_a_graded_batch(pipeline):
    keys = [f"{day}T22:00:00" for day in WEEK]  # after the close
    for day, key in zip(WEEK, keys, strict=True):
        closes(pipeline.csv, day)
        pipeline.batch(key)
        outcome = pipeline.run("evaluations", key, how="events", joined=pipeline.joined("grades"))
        assert outcome[0] == "published", pipeline.error
    assert len(made(pipeline, "prices", "ingestion")) == len(WEEK)
    assert len(made(pipeline, "prices", "scorer")) == SESSIONS
    assert len(made(pipeline, "company_reports", "sentiment")) == SESSIONS
    assert len(made(pipeline, "evaluations", "evaluation")) == SESSIONS
    for dataset in ("scores", "sentiment", "grades", "evaluations"):
        assert [key for key, _ in pipeline.events[dataset]] == keys
    friday = keys[-3]
    for dataset in ("scores", "sentiment", "evaluations"):
        reused = [extra.get("reused_from") for _, extra in pipeline.events[dataset]]
        assert reused == [*[None] * SESSIONS, friday, friday]
    assert [extra.get("carried_over_from") for _, extra in pipeline.events["grades"]] == [
        *[None] * SESSIONS,
        friday,
        friday,
    ]
    # and the API says the same of each batch
    for key, extra in pipeline.events["grades"]:
        grades = json.loads((pipeline.data / "grades" / f"{key}.json").read_text())
        assert grades.get("carried_over_from") == extra.get("carried_over_from")
    # what is graded is what Friday's stages have made
    _, last = pipeline.events["grades"][-1]
    read = {name: each["path"] for name, each in last["version"]["inputs"].items()}
    assert {path.split("/")[1] for path in read.values()} == {friday}
    _, sentiment = pipeline.events["sentiment"][-1]
    assert (sentiment["details"]["analysed"], sentiment["details"]["reused"]) == (0, sentiment["rows"])
    with urllib.request.urlopen(f"{pipeline.url}/api/v1/grading/record?batch={keys[-1]}") as answer:
        record = json.load(answer)
    assert (record["batch"], record["live"]["gradings"]) == (friday, SESSIONS)


def test_a_version_that_was_removed_with_its_batch_is_made_again(pipeline):
    """Prices are again those of a batch that is listed still, but not kept."""
    friday, saturday, sunday = (f"{day}T22:00:00" for day in WEEK[-3:])
    closes(pipeline.csv, WEEK[-3])
    settings_file = pipeline.profile / "ingestion.env"
    kept_one = f"{settings_file.read_text()}INGESTION_KEEP_BATCHES=1\n"
    for key, symbols in ((friday, SYMBOLS), (saturday, SYMBOLS[:-1]), (sunday, SYMBOLS)):
        settings_file.write_text(f"{kept_one}INGESTION_SYMBOLS={','.join(symbols)}\n")
        pipeline.batch(key)
    of_friday, _, of_sunday = (contents(extra) for _, extra in pipeline.events["prices"])
    assert of_friday == of_sunday
    assert not (pipeline.data / "prices" / friday).exists()
    _, scores = pipeline.events["scores"][-1]
    assert "reused_from" not in scores
    assert scores["version"]["path"].split("/")[1] == sunday
    _, grades = pipeline.events["grades"][-1]
    for version in (grades["version"], *grades["version"]["inputs"].values()):
        assert (pipeline.data / version["path"] / "manifest.json").is_file()
