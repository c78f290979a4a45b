"""The scheduler's nap: as long as nothing happens, and over when a task has ended."""

import multiprocessing
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import TaskInstanceState
from airflow.sdk.listener import get_listener_manager

from rankalpha.airflow_fixes import executor
from rankalpha.airflow_fixes.executor import LOOK_SECONDS, NAP_SECONDS, FailFastLocalExecutor

NAP = pytest.approx(NAP_SECONDS, abs=2 * LOOK_SECONDS)
FIFTH = pytest.approx(5 * LOOK_SECONDS, abs=LOOK_SECONDS)  # how long a nap takes that the fifth look ends


class Clock:
    """Goes on by what a nap waits for only; `at` has what happens before a look, by its number."""

    def __init__(self, local: FailFastLocalExecutor) -> None:
        self.now, self.looks = 0.0, 0
        self.at: dict[int, Callable[[], Any]] = {}
        self.poll = local._task_ended.wait

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.looks += 1
        self.at.pop(self.looks, lambda: None)()
        self.now += seconds
        return self.poll(0)


@pytest.fixture
def local() -> Iterator[FailFastLocalExecutor]:
    multiprocessing.set_start_method("fork", force=True)  # as env/local/airflow.env says
    made = FailFastLocalExecutor(parallelism=2)
    made.start()
    yield made
    made.end()


@pytest.fixture
def clock(local, monkeypatch) -> Clock:
    made = Clock(local)
    monkeypatch.setattr(executor, "time", made)
    monkeypatch.setattr(local._task_ended, "wait", made.wait)
    return made


@pytest.fixture
def nap(local, clock) -> Callable[[], float]:
    """Let the executor's heart beat; returns for how many seconds it has napped."""

    def beat() -> float:
        began = clock.now
        local.heartbeat()
        return clock.now - began

    return beat


NO_STAGE = SimpleNamespace(operator="EmptyOperator")  # the watchdog may hear of it too


def end_of_task(how: str) -> None:
    """End a task as far as listeners hear of it; in the process of a task."""
    heard = getattr(get_listener_manager().hook, f"on_task_instance_{how}")
    error = {"error": None} if how == "failed" else {}
    heard(previous_state=TaskInstanceState.RUNNING, task_instance=NO_STAGE, **error)


def task_process(how: str) -> None:
    """Fork what a worker forks for a task, and let it end."""
    process = multiprocessing.get_context("fork").Process(target=end_of_task, args=[how])
    process.start()
    process.join(60)
    assert process.exitcode == 0


def end_of_worker(local: FailFastLocalExecutor) -> Any:
    """Tell the executor that the process of "task" has ended, as its worker does."""
    if not hasattr(local, "_worker_tasks"):
        return local.result_queue.put(("task", "success", None))  # type: ignore[arg-type]
    worker = next(iter(local.workers))  # from Airflow 3.4 on a worker says who it is, and when it has begun
    local._worker_tasks[worker] = "task"
    return local.result_queue.put((worker, "task", "success", None))


def test_nothing_happens_for_a_nap(nap):
    assert nap() == NAP


@pytest.mark.parametrize("how", ["success", "failed", "skipped"])
def test_a_task_that_ends_ends_the_nap(clock, nap, how):
    clock.at[5] = lambda: task_process(how)
    assert nap() == FIFTH


def test_a_task_that_has_ended_before_leaves_no_nap(nap):
    end_of_task("success")
    assert nap() <= LOOK_SECONDS


def test_tasks_that_end_together_end_one_nap(nap):
    for _ in range(3):
        end_of_task("success")
    assert nap() <= LOOK_SECONDS
    assert nap() == NAP


def test_a_slot_that_comes_free_ends_the_nap(local, clock, nap):
    local.running |= {"task", "another"}
    clock.at[5] = lambda: end_of_worker(local)
    assert nap() == FIFTH
    assert list(local.event_buffer) == ["task"]


def test_the_end_of_a_process_alone_does_not_end_the_nap(local, clock, nap):
    local.running.add("task")
    clock.at[5] = lambda: end_of_worker(local)
    assert nap() == NAP
    assert list(local.event_buffer) == ["task"]


def test_a_task_is_handed_out_before_the_nap(local, clock, nap, monkeypatch):
    handed = []
    # Airflow 3.4 hands out more than tasks
    hand_out = "trigger_workloads" if hasattr(local, "trigger_workloads") else "trigger_tasks"
    monkeypatch.setattr(local, hand_out, lambda _slots: handed.append(clock.looks))
    assert nap() == NAP
    assert handed == [0]
