"""How the task of a stage waits: deferred or not, stopped at its limit, killed, and what is left after it."""

import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import TaskDeferralError, TaskDeferred

from rankalpha.containers.follow import Follower
from rankalpha.runners import process_folder
from rankalpha.runners.container import Container
from rankalpha.runners.failures import StageFailed
from rankalpha.runners.process import ProcessRunner
from rankalpha.runners.process_folder import read
from rankalpha.settings import SettingsError, settings
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.demo_stage import identity
from tests.unit.rankalpha.support.operator_helpers import as_triggerer, events, run_task, task
from tests.unit.rankalpha.support.process_helpers import (
    UNTIL_GO,
    ended,
    let_it_have_run,
    output,
    printed,
    run,
    start,
)
from tests.unit.rankalpha.support.task_context import TaskInstance, context

NAME = identity().name


@pytest.fixture(autouse=True)
def folder(app_dir, profile_dir, monkeypatch) -> Path:
    wait(monkeypatch, 0)
    (app_dir / "main.py").write_text("print('working')" + UNTIL_GO)
    return app_dir


def wait(monkeypatch, seconds: float) -> None:
    """Let workers wait so long for a stage before it is deferred."""
    monkeypatch.setenv("RANKALPHA_DEFER_AFTER", str(seconds))
    settings.cache_clear()


@pytest.fixture
def not_deferring(monkeypatch) -> None:
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    settings.cache_clear()


def deferred(operator, ti=None) -> TaskDeferred:
    """Execute a task that defers."""
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(context(ti=ti))
    return caught.value


def without_usage(path: Path) -> dict[str, Any]:
    """Read a file of a process, but for what it has used."""
    return {key: value for key, value in read(path).items() if key != "usage"}


def only_container() -> Container:
    (container,) = ProcessRunner().containers({})
    return container


def test_a_task_is_deferred_while_its_stage_runs():
    asked = deferred(task(secrets=("OPENAI_API_KEY",), timeout=timedelta(minutes=7)))
    container = only_container()
    assert container.running
    arguments = {
        "container": container.id,
        "limit": 420.0,
        "secrets": ["OPENAI_API_KEY"],
        "written": ["", 0, 0],
    }
    assert asked.trigger.serialize() == ("rankalpha.containers.trigger.StageTrigger", arguments)
    assert (asked.method_name, asked.kwargs) == ("collect", {"container": container.id, "usage": None})
    assert asked.timeout == timedelta(minutes=8)


def test_what_was_seen_before_and_during_the_deferral_is_told(folder, monkeypatch):
    """The triggerer came too late, or its own figures are those of one that took over."""
    early = {"cpu_seconds": 0.25, "peak_memory_bytes": 5_000_000}
    monkeypatch.setattr(ProcessRunner, "sample", lambda *_: early)
    wait(monkeypatch, 0.5)
    asked = deferred(task())
    assert asked.kwargs["usage"] == early
    monkeypatch.setattr(process_folder, "read", without_usage)  # as an engine that forgets it
    (folder / "go").touch()
    ended(only_container())
    for usage, cpu, peak in [
        (None, 0.25, 5_000_000),
        ({"cpu_seconds": 2.0, "peak_memory_bytes": 4_000_000}, 2.0, 5_000_000),
    ]:
        ti = TaskInstance()
        event = {"end": "ended", "usage": usage}
        task().resume_execution("collect", {**asked.kwargs, "event": event}, context(ti=ti))
        about = ti.output["container"]
        assert (about["cpu_seconds"], about["peak_memory_bytes"]) == (cpu, peak)


def test_what_an_older_version_has_deferred_is_collected(folder, monkeypatch):
    asked = deferred(task())
    monkeypatch.setattr(process_folder, "read", without_usage)
    (folder / "go").touch()
    ended(only_container())
    ti = TaskInstance()
    kwargs = {"container": asked.kwargs["container"], "event": {"end": "ended"}}
    task().resume_execution("collect", kwargs, context(ti=ti))
    about = ti.output["container"]
    assert (about["cpu_seconds"], about["peak_memory_bytes"]) == (None, None)


def test_a_retry_is_deferred_for_the_same_container():
    first, ti = deferred(task()), TaskInstance()
    ti.try_number = 2
    assert deferred(task(), ti).kwargs == first.kwargs
    assert only_container().name == NAME


def test_a_task_is_not_deferred_when_its_stage_has_ended(folder):
    deferred(task())
    (folder / "go").touch()
    ended(only_container())
    task().execute(context())


def test_a_task_waits_a_little_for_a_short_stage(folder, monkeypatch):
    wait(monkeypatch, 60)
    threading.Timer(0.5, (folder / "go").touch).start()
    ti = TaskInstance()
    task().execute(context(ti=ti))
    assert ti.output["container"]


def test_a_task_that_has_waited_hands_over_how_far_the_output_is_logged(folder, monkeypatch, capsys):
    deferred(task())
    wait_for("its line", lambda: printed(only_container()))
    wait(monkeypatch, 1)
    asked = deferred(task())
    assert "working" in capsys.readouterr().out
    (folder / "go").touch()
    (line,) = output(only_container())
    assert asked.trigger.written[:2] == (line.time, 1)
    assert 400 < asked.trigger.written.size < 500  # of the room that the trigger has for the rest
    assert events(as_triggerer(asked.trigger, TaskInstance())) == [{"end": "ended", "usage": None}]
    assert "working" not in capsys.readouterr().out  # for the task has logged it


@pytest.mark.parametrize(("others", "expected"), [(3, [7.0]), (4, [])])
def test_a_task_waits_only_while_few_stages_run(folder, monkeypatch, others, expected):
    waits = []

    async def follow(_self, _limit, seconds) -> str:
        waits.append(seconds)
        return "running"

    wait(monkeypatch, 7)
    monkeypatch.setattr(Follower, "follow", follow)
    for number in range(others):
        labels = identity(run=f"other_{number}").labels
        start(folder, UNTIL_GO, name=f"{NAME}-{number}", labels=labels)
    deferred(task())
    assert waits == expected


@pytest.mark.usefixtures("not_deferring")
def test_a_task_is_not_deferred_where_that_is_off(folder):
    threading.Timer(0.5, (folder / "go").touch).start()
    task().execute(context())
    assert (folder / "go").exists()


def test_what_the_trigger_could_not_do_is_tried_again_and_the_stage_goes_on():
    asked = deferred(task())
    event = {"error": "lost the engine"}
    with pytest.raises(StageFailed, match=r"^lost the engine$"):
        task().resume_execution("collect", {**asked.kwargs, "event": event}, context())
    assert (only_container().name, only_container().running) == (NAME, True)


def test_a_trigger_that_broke_is_tried_again_and_the_stage_goes_on():
    deferred(task())
    with pytest.raises(TaskDeferralError):
        task().resume_execution("__fail__", {"error": "Trigger failure"}, context())
    assert (only_container().name, only_container().running) == (NAME, True)


def test_a_stage_that_reaches_its_limit_is_stopped_and_set_aside():
    with pytest.raises(StageFailed, match="stage demo was stopped at its time limit of 0:00:02"):
        run_task(task(timeout=timedelta(seconds=2)))
    assert (only_container().name, only_container().status) == (f"{NAME}-try1", 128 + signal.SIGTERM)


def test_the_limit_holds_though_no_triggerer_was_there():
    operator = task(timeout=timedelta(hours=1))
    deferred(operator)
    let_it_have_run(only_container(), hours=1)
    with pytest.raises(StageFailed, match="stage demo was stopped at its time limit of 1:00:00"):
        operator.resume_execution("__fail__", {"error": TriggerFailureReason.TRIGGER_TIMEOUT}, context())
    assert (only_container().name, only_container().running) == (f"{NAME}-try1", False)


def test_a_task_that_does_nothing_is_not_killed(folder):
    operator = task()
    operator.on_kill()
    deferred(operator)
    operator.on_kill()  # Airflow reports the deferral meanwhile
    assert only_container().running
    (folder / "go").touch()
    run_task(operator)
    operator.on_kill()


@pytest.mark.parametrize(("state", "left"), [("success", 0), ("running", 1), ("failed", 1), (None, 1)])
def test_a_container_is_removed_when_its_tasks_success_is_recorded(folder, airflow_says, state, left):
    (folder / "go").touch()
    operator = task()
    run_task(operator)
    airflow_says(state)
    for callback in operator.on_success_callback:
        callback(context(task=operator))
    assert len(ProcessRunner().containers({})) == left


def test_a_stage_is_limited_in_time_and_pushes_no_return_value():
    dataset = Asset(name="demo", uri="rankalpha://demo")
    made = task(timeout=timedelta(minutes=7), consumes=[dataset])
    assert made.execution_timeout == timedelta(minutes=8)  # the stage itself is stopped after seven
    assert made.do_xcom_push is False
    assert made.inlets == [dataset]  # else Airflow refuses to tell which batches it has


def test_a_stage_runs_in_the_pool_and_the_queue_of_the_settings(monkeypatch):
    assert (task().pool, task().queue) == ("stages", "default")
    monkeypatch.setenv("RANKALPHA_QUEUES", "other=x, demo=large")
    settings.cache_clear()
    assert task().queue == "large"
    monkeypatch.setenv("RANKALPHA_QUEUES", "demo")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="RANKALPHA_QUEUES='demo': expected STAGE=QUEUE"):
        task()


def test_the_error_of_a_stage_that_another_process_has_started_holds_no_secret(folder):
    code = "import os, sys\nsys.exit(os.environ['BROKER_WORD'] + ' is refused')"
    env, labels = {"BROKER_WORD": "swordfish-77"}, identity().labels
    container = run(folder, code, env=env, labels=labels)
    with pytest.raises(StageFailed, match="is refused") as caught:
        task(secrets=("BROKER_WORD",)).collect(context(), container.id, {"end": "ended"})
    assert "swordfish" not in str(caught.value)
