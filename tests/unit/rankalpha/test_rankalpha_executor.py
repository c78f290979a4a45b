"""The scheduler's nap: as long as nothing happens, and over when a task has ended."""

import time
from collections.abc import Iterator
from multiprocessing import get_context
from threading import Timer
from typing import Any

import pytest
from airflow.sdk import TaskInstanceState
from airflow.sdk.listener import get_listener_manager

from rankalpha import executor
from rankalpha.executor import FailFastLocalExecutor

NAP = 2.0


@pytest.fixture
def local(monkeypatch) -> Iterator[FailFastLocalExecutor]:
    monkeypatch.setattr(executor, "NAP_SECONDS", NAP)
    made = FailFastLocalExecutor(parallelism=1)
    made.start()
    yield made
    made.end()


def heartbeat(local: FailFastLocalExecutor) -> float:
    began = time.monotonic()
    local.heartbeat()
    return time.monotonic() - began


def end_of_task(how: str) -> None:
    """End a task as far as listeners hear of it; in the process of a task."""
    heard = getattr(get_listener_manager().hook, f"on_task_instance_{how}")
    error = {"error": None} if how == "failed" else {}
    heard(previous_state=TaskInstanceState.RUNNING, task_instance=None, **error)


def task_process(how: str) -> None:
    """Fork what a worker forks for a task."""
    get_context("fork").Process(target=end_of_task, args=[how]).start()


def end_of_worker(local: FailFastLocalExecutor) -> Any:
    """Tell the executor that the process of a task has ended, as its worker does."""
    return local.result_queue.put(("task", "success", None))  # type: ignore[arg-type]


def test_nothing_happens_for_a_nap(local):
    assert heartbeat(local) >= NAP


@pytest.mark.parametrize("how", ["success", "failed", "skipped"])
def test_a_task_that_ends_ends_the_nap(local, how):
    Timer(0.2, task_process, [how]).start()
    assert 0.2 <= heartbeat(local) < NAP


def test_a_task_that_has_ended_before_leaves_no_nap(local):
    end_of_task("success")
    assert heartbeat(local) < NAP


def test_tasks_that_end_together_end_one_nap(local):
    for _ in range(3):
        end_of_task("success")
    assert heartbeat(local) < NAP
    assert heartbeat(local) >= NAP


def test_a_slot_that_comes_free_ends_the_nap(local):
    local.running.add("task")
    Timer(0.2, end_of_worker, [local]).start()
    assert 0.2 <= heartbeat(local) < NAP
    assert list(local.event_buffer) == ["task"]


def test_the_end_of_a_process_alone_does_not_end_the_nap(local):
    Timer(0.2, end_of_worker, [local]).start()
    assert heartbeat(local) >= NAP
    assert list(local.event_buffer) == ["task"]


def test_a_task_is_handed_out_before_the_nap(local, monkeypatch):
    handed = []
    monkeypatch.setattr(local, "trigger_tasks", lambda _slots: handed.append(time.monotonic()))
    assert heartbeat(local) >= NAP
    assert time.monotonic() - handed[0] >= NAP
