"""The log of a stage's task: each line with its time, without secrets, and none of them twice."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from airflow.configuration import conf
from airflow.sdk._shared.secrets_masker import SecretsMasker
from airflow.sdk.log import init_log_file, logging_processors
from airflow.utils.helpers import log_filename_template_renderer

from rankalpha import masking
from rankalpha.containers import task_log
from rankalpha.runners.line import Line, Mark

TIMES = [f"2025-11-20T06:00:00.{n:09}Z" for n in range(10)]


@pytest.fixture
def ti(tmp_path, monkeypatch) -> SimpleNamespace:
    """A task instance as Airflow's templates of log files see it, and a folder of logs of its own."""
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "logs"))
    return SimpleNamespace(
        dag_id="rankalpha_demo", task_id="run_demo", run_id="manual__1", map_index=-1, try_number=2
    )


def log_file(ti, triggerer: int | None) -> Path:
    """Return a log file, as Airflow makes and names it for a task (None) or for its trigger."""
    name = log_filename_template_renderer()(ti=ti)
    return init_log_file(name if triggerer is None else f"{name}.trigger.{triggerer}.log")


def triggerer_writes(ti, triggerer: int, *numbers: int) -> Path:
    """Write a log as the triggerer's supervisor does: with Airflow's own processors for JSON lines."""
    file = log_file(ti, triggerer)
    with file.open("wb") as opened:
        log = structlog.wrap_logger(
            structlog.BytesLogger(opened), processors=logging_processors(json_output=True)
        ).bind()
        log.info("trigger StageTrigger starting", logger="airflow.jobs.triggerer_job_runner")
        for number in numbers:
            log.info("line %d", number, logger=task_log.LOGGER, timestamp=TIMES[number])
        log.warning("a stage is mentioned", logger="other", timestamp=TIMES[9])
    return file


def test_the_file_has_the_form_that_is_read(ti):
    entry = json.loads(triggerer_writes(ti, 1, 4).read_text().splitlines()[1])
    assert entry.items() >= {"timestamp": TIMES[4], "event": "line 4", "logger": "stage"}.items()


def test_nothing_was_written_before(ti):
    assert task_log.written_by_triggerers(ti) == Mark()
    triggerer_writes(ti, 1)
    assert task_log.written_by_triggerers(ti) == Mark()


def test_the_newest_lines_of_all_triggerers_are_found(ti):
    triggerer_writes(ti, 1, 0, 1, 5, 5)
    triggerer_writes(ti, 2, 2, 3)
    assert task_log.written_by_triggerers(ti)[:2] == (TIMES[5], 2)


def test_other_tries_and_the_task_itself_do_not_count(ti):
    triggerer_writes(SimpleNamespace(**{**vars(ti), "try_number": 1}), 1, 5)
    triggerer_writes(SimpleNamespace(**{**vars(ti), "map_index": 0}), 1, 6)
    log_file(ti, None).write_text(json.dumps({"timestamp": TIMES[7], "event": "x", "logger": "stage"}))
    triggerer_writes(ti, 1, 1)
    assert task_log.written_by_triggerers(ti)[:2] == (TIMES[1], 1)


def test_how_much_log_was_written_counts_the_lines_of_stages_of_all_triggerers(ti):
    files = [triggerer_writes(ti, 1, 0, 1), triggerer_writes(ti, 2, 2)]
    entries = [entry for file in files for entry in file.read_bytes().splitlines(keepends=True)]
    size = sum(len(entry) for entry in entries if json.loads(entry)["logger"] == "stage")
    assert task_log.written_by_triggerers(ti).size == size > 0


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_last_line_does_not_count(ti, cut):
    file = triggerer_writes(ti, 1, 0)
    entry = json.dumps({"timestamp": TIMES[1], "event": "liné", "logger": "stage"}, ensure_ascii=False)
    with file.open("ab") as opened:
        opened.write(entry.encode()[:-cut])  # where `é` may be torn too
    assert task_log.written_by_triggerers(ti)[:2] == (TIMES[0], 1)


def test_a_line_is_logged_with_the_time_at_which_it_was_printed(capsys):
    task_log.write(Line(TIMES[3], "hello"))
    (shown,) = capsys.readouterr().out.splitlines()
    assert shown.startswith(TIMES[3])
    assert "hello" in shown
    assert "[stage]" in shown


@pytest.mark.parametrize(
    ("env", "secret"),
    [
        ({"DEMO_PASSWORD": "hunter2-one"}, "hunter2-one"),
        ({"DEMO_ACCOUNT": "hunter2-two"}, "hunter2-two"),  # its name does not sound secret, but is declared
        ({"DATABASE": "postgresql+psycopg2://rank:hunter2-three@db/rank"}, "hunter2-three"),
        ({"CACHE": "redis://:hunter2-four@cache:6379/0"}, "hunter2-four"),
    ],
)
def test_secrets_are_masked(env, secret, capsys):
    assert masking.masked(f"it is {secret}.") == f"it is {secret}."
    masking.mask(env, ["DEMO_ACCOUNT", "DEMO_ABSENT"])
    assert masking.masked(f"it is {secret}.") == "it is ***."
    task_log.write(Line(TIMES[0], f"it is {secret}."))
    assert secret not in capsys.readouterr().out


def test_what_is_no_secret_is_shown(capsys, monkeypatch):
    monkeypatch.setattr(SecretsMasker, "_has_warned_short_secret", False)
    masking.mask({"DEMO_DEPTH": "3", "DEMO_PLACE": "in the open", "API": "http://host/path@x"}, [])
    assert masking.masked("3 in the open, path") == "3 in the open, path"
    assert "Skipping masking" not in capsys.readouterr().out


def test_the_folder_of_logs_is_airflows(ti, tmp_path):
    assert conf.get("logging", "base_log_folder") == str(tmp_path / "logs")
    assert triggerer_writes(ti, 1).is_relative_to(tmp_path / "logs")
