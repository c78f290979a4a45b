"""What becomes of a stage when Airflow ends the process of its task."""

import os
import signal
import threading
from pathlib import Path

import pytest

from rankalpha.alerts.notifier import EndedByPerson
from rankalpha.containers import task_log
from rankalpha.operators.stage_errors import ENDED_BY_PERSON
from rankalpha.runners.container import Container
from rankalpha.runners.failures import StageFailed
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from tests.unit.rankalpha.support.demo_stage import identity
from tests.unit.rankalpha.support.operator_helpers import task
from tests.unit.rankalpha.support.process_helpers import UNTIL_GO
from tests.unit.rankalpha.support.task_context import context

NAME = identity().name


@pytest.fixture(autouse=True)
def folder(app_dir, profile_dir, monkeypatch) -> Path:
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    settings.cache_clear()
    (app_dir / "main.py").write_text("print('working')" + UNTIL_GO)
    return app_dir


def only_container() -> Container:
    (container,) = ProcessRunner().containers({})
    return container


def kill(*_) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def kill_while_it_waits(patch) -> None:
    logged, write = threading.Event(), task_log.write

    def soon() -> None:
        assert logged.wait(60)
        kill()

    patch.setattr(task_log, "write", lambda line: (write(line), logged.set()))
    threading.Thread(target=soon).start()


def kill_while_it_starts(patch) -> None:
    start = ProcessRunner.start
    patch.setattr(ProcessRunner, "start", lambda *given: (start(*given), kill()))


def kill_while_it_logs(patch) -> None:
    patch.setattr(task_log, "write", kill)


@pytest.fixture(params=[kill_while_it_waits, kill_while_it_starts, kill_while_it_logs])
def killed_task(request, monkeypatch):
    """A task that gets SIGTERM from Airflow, whose task runner then calls on_kill."""
    operator = task()
    before = signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
    request.param(monkeypatch)
    yield operator
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("state", ["failed", "restarting"])
def test_a_stage_whose_task_a_person_has_ended_is_stopped_and_set_aside(killed_task, airflow_says, state):
    airflow_says(state)
    with pytest.raises(EndedByPerson, match="stopped by Airflow"):
        killed_task.execute(context())
    assert (only_container().name, only_container().running) == (f"{NAME}-try1", False)


def test_a_second_signal_does_not_keep_it_from_being_stopped(killed_task, airflow_says, monkeypatch):
    airflow_says("failed")
    stop = ProcessRunner.stop
    monkeypatch.setattr(ProcessRunner, "stop", lambda *given: (kill(), stop(*given)))
    with pytest.raises(EndedByPerson, match="stopped by Airflow"):
        killed_task.execute(context())
    monkeypatch.setattr(ProcessRunner, "stop", stop)
    assert (only_container().name, only_container().running) == (f"{NAME}-try1", False)


@pytest.mark.parametrize("state", ["queued", "running", None])
def test_a_stage_whose_task_has_another_process_now_goes_on(killed_task, airflow_says, state):
    airflow_says(state)
    with pytest.raises(StageFailed, match="stopped by Airflow; the stage goes on"):
        killed_task.execute(context())
    assert (only_container().name, only_container().running) == (NAME, True)


def test_every_way_to_end_a_task_by_hand_is_known():
    assert {"failed", "success", "skipped", "restarting"} <= set(ENDED_BY_PERSON)
    assert not {"queued", "scheduled", "running", "deferred", "up_for_retry"} & set(ENDED_BY_PERSON)
