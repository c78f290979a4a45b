"""What `rankalpha health` prints, on a terminal of 80 columns."""

import re

import pytest

from rankalpha.health import summary
from rankalpha.health.tables import show, show_all
from tests.unit.rankalpha.support.overview_sample import (
    CONTAINER,
    NAMES,
    NEW,
    STEP,
    batch,
    dataset,
    sample,
    step,
)

INCIDENT = {
    "key": "k",
    "subject": "ACT NOW: [a] batch cannot be graded until someone fixes this.",
    "text": f"Paste this: {'x' * 100} --batch {NEW}",
}


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def printed(capsys, **changed):
    show(summary.health(sample(**changed)))
    return capsys.readouterr().out


def words(text):
    return set(re.findall(r"[\w:.-]+", text))


@pytest.mark.parametrize("state", ["done", "waiting", "running", "queued", "superseded", "unpublished"])
def test_a_terminal_of_80_columns_cuts_no_word(capsys, state):
    since = "2026-11-22T06:10:00+00:00"
    steps = [step(name, state=state, since=since, container=CONTAINER) for name in NAMES]
    datasets = [dataset(name, stale=True) for name in STEP]
    text = printed(capsys, batches=[batch(NEW, *steps)], datasets=datasets)
    assert max(map(len, text.splitlines())) <= 80
    assert {NEW, state, "06:10", *NAMES, "23:00", "stale", "286", "954"} <= words(text)
    assert "…" not in text


def test_times_are_shown_as_times(capsys):
    text = printed(capsys)
    assert "scheduler: newest heartbeat 2026-11-22 06:30:00 UTC" in text
    assert "dag_processor: newest heartbeat never" in text
    assert "+00:00" not in text
    assert "All is well." in text


def test_the_session_and_what_was_carried_over_are_said_in_words(capsys):
    carried = {**batch(NEW), "news": "no new session; grades of Sat 21 Nov 06:00 carried over"}
    text = printed(capsys, batches=[carried], datasets=[dataset("prices", stale=True)])
    assert "Grades of Friday's close, 20 Nov, current (batch 2026-11-21T06:00:00)." in text
    assert f"{NEW}: no new session; grades of Sat 21 Nov 06:00 carried over." in text
    assert "newest batch 2026-11-21T06:00:00, Friday's close, 20 Nov" in text
    assert "Grades of" not in printed(capsys, session=None)


OF_SAMPLE = {"text": "Wednesday's close, 25 Nov of the sample, current"}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({}, "prices Friday's close, 20 Nov, current Tue 24 Nov 23:00"),
        ({"session": OF_SAMPLE}, "prices Wednesday's close, 25 Nov of the sample, current Tue 24 Nov 23:00"),
        ({"session": None, "stale": True}, "prices 24.3 h ago Tue 24 Nov 23:00, stale"),
        ({"session": None, "published": None, "stale_at": None}, "prices never published –"),  # noqa: RUF001
    ],
)
def test_how_fresh_a_dataset_is_is_said_in_sessions_and_in_hours_where_there_is_no_calendar(
    capsys, changed, line
):
    text = printed(capsys, datasets=[dataset("prices", **changed)])
    freshness = text.partition("Freshness; times in UTC")[2].splitlines()
    assert " ".join(freshness[3].split()) == line


def test_an_incident_is_printed_as_it_is_written_so_that_a_command_in_it_can_be_pasted(capsys):
    text = printed(capsys, incidents=[INCIDENT])
    assert f"{INCIDENT['subject']}\n{INCIDENT['text']}\n" in text
    assert "All is well." not in text


def test_of_several_markets_each_has_a_line_and_what_is_wrong_stands_below_its_name(capsys):
    other = sample(
        market={"name": "nyse", "starts": "06:00 UTC", "ingestion": "rankalpha_nyse_ingestion"},
        incidents=[INCIDENT],
    )
    show_all([summary.health(sample()), summary.health(other)])
    before, after = capsys.readouterr().out.split(" nyse ", 1)[0], INCIDENT["text"]
    assert "default" in before
    show_all([summary.health(other)])
    assert after in capsys.readouterr().out
