"""What the triggerer does for a stage that runs: its event, its log, and the end of a trigger."""

import asyncio
import json
from pathlib import Path

import pytest
from airflow.sdk.log import init_log_file
from airflow.utils.helpers import log_filename_template_renderer

from rankalpha.containers import follow, patience
from rankalpha.containers.task_state import state_of
from rankalpha.containers.trigger import StageTrigger
from rankalpha.runners.container import Container
from rankalpha.runners.failures import EngineLost
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from tests.unit.rankalpha.support.operator_helpers import as_triggerer, events
from tests.unit.rankalpha.support.process_helpers import UNTIL_GO, ended, output, run, start
from tests.unit.rankalpha.support.task_context import TaskInstance

ENDED = {"end": "ended", "usage": None}  # a process tells what it has used at its end


@pytest.fixture(autouse=True)
def folder(app_dir, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "logs"))
    return app_dir


def trigger(container: str, limit: float = 3600.0, secrets: tuple[str, ...] = ()) -> StageTrigger:
    return as_triggerer(StageTrigger(container, limit, list(secrets)), TaskInstance())


def test_a_trigger_survives_the_database():
    made = trigger("0123abcd", 420.0, ("OPENAI_API_KEY",))
    arguments = {
        "container": "0123abcd",
        "limit": 420.0,
        "secrets": ["OPENAI_API_KEY"],
        "written": ["", 0, 0],
    }
    assert made.serialize() == ("rankalpha.containers.trigger.StageTrigger", arguments)


def test_the_end_of_a_stage_is_one_event(folder, capsys):
    container = start(folder, "import time\nprint('one')\ntime.sleep(0.3)\nprint('two')\nraise SystemExit(3)")
    assert events(trigger(container.id)) == [ENDED]
    first, second = [line for line in capsys.readouterr().out.splitlines() if "[stage]" in line]
    assert [first.split()[0], second.split()[0]] == [line.time for line in output(container)]
    assert ("one" in first, "two" in second) == (True, True)


def test_what_the_log_lacks_is_in_the_event(folder, monkeypatch):
    monkeypatch.setenv("RANKALPHA_LOG_MB", "0.001")
    settings.cache_clear()
    (event,) = events(trigger(run(folder, "for n in range(10): print(n)").id))
    assert event["left_out"].startswith("8 lines (0.0 MB) of the stage's output are not in this log")


def test_a_stage_at_its_limit_is_one_event(folder, monkeypatch):
    monkeypatch.setattr(follow, "INSPECT_SECONDS", 3600)  # it need not look to see that the time is over
    container = start(folder, UNTIL_GO)
    assert events(trigger(container.id, 2.0)) == [{"end": "overdue", "usage": None}]
    assert not ProcessRunner().inspect(container.id).running


def test_what_was_seen_of_the_use_is_in_the_event(folder, monkeypatch):
    used = [{"cpu_seconds": 0.5, "peak_memory_bytes": 9}, {"cpu_seconds": 0.6, "peak_memory_bytes": 7}]

    def sample(*_):
        if len(used) == 1:
            (folder / "go").touch()
        return used.pop(0) if used else None

    monkeypatch.setattr(ProcessRunner, "sample", sample)
    fired = events(trigger(start(folder, UNTIL_GO).id))
    assert fired == [{"end": "ended", "usage": {"cpu_seconds": 0.6, "peak_memory_bytes": 9}}]


def test_a_container_that_is_gone_is_one_event():
    assert events(trigger("0123abcd")) == [{"error": "process 0123abcd no longer exists"}]


def test_an_engine_that_stays_lost_is_one_event(folder, monkeypatch):
    def lost(*_) -> Container:
        raise EngineLost("lost the engine")

    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.05)
    container = start(folder, UNTIL_GO)
    with monkeypatch.context() as patch:
        patch.setattr(ProcessRunner, "inspect", lost)
        assert events(trigger(container.id)) == [{"error": "lost the engine"}]
    assert ProcessRunner().inspect(container.id).running


def test_secrets_of_the_stage_are_not_logged(folder, capsys):
    env = {"DEMO_ACCOUNT": "hunter2-account", "DEMO_PASSWORD": "hunter2-password"}
    code = "import os\nprint('they are', os.environ['DEMO_ACCOUNT'], os.environ['DEMO_PASSWORD'])"
    assert events(trigger(start(folder, code, env=env).id, secrets=("DEMO_ACCOUNT",))) == [ENDED]
    logged = capsys.readouterr().out
    assert "they are *** ***" in logged
    assert "hunter2" not in logged


def test_a_second_triggerer_goes_on_where_the_first_has_left_off(folder, capsys):
    container = run(folder, "for n in range(10): print('line', n)")
    file = init_log_file(f"{log_filename_template_renderer()(ti=TaskInstance())}.trigger.1.log")
    for line in output(container)[:7]:
        with file.open("a") as log:
            print(json.dumps({"timestamp": line.time, "event": line.text, "logger": "stage"}), file=log)
    assert events(trigger(container.id)) == [ENDED]
    logged = [line for line in capsys.readouterr().out.splitlines() if "[stage]" in line]
    assert [f"line {n}" in logged[n - 7] for n in (7, 8, 9)] == [True] * len(logged)


@pytest.mark.parametrize("state", ["failed", "success", "restarting", "queued", None])
def test_a_stage_whose_task_a_person_has_ended_is_stopped_and_set_aside(folder, airflow_says, state):
    container = start(folder, UNTIL_GO)
    airflow_says(state)
    asyncio.run(trigger(container.id).on_kill())
    stopped = ProcessRunner().inspect(container.id)
    assert (stopped.running, stopped.name) == (False, f"{container.name}-try1")


def test_a_stage_whose_trigger_has_moved_to_another_triggerer_goes_on(folder, airflow_says):
    container = start(folder, UNTIL_GO)
    airflow_says("deferred")
    asyncio.run(trigger(container.id).on_kill())
    going = ProcessRunner().inspect(container.id)
    assert (going.running, going.name) == (True, container.name)
    (folder / "go").touch()
    assert ended(container).status == 0


def test_airflow_is_asked_for_the_state_of_the_very_task_instance(airflow_says):
    airflow_says("deferred")
    ti = TaskInstance()
    assert state_of(ti) == "deferred"
    ti.map_index = 0
    assert state_of(ti) is None  # what was answered is of the one that is not mapped
    ti.map_index = None
    assert state_of(ti) == "deferred"
    airflow_says(None)
    assert state_of(ti) is None
