"""The scheduler's nap: as long as nothing happens, and over when a task has ended."""

import time
from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest

from rankalpha import executor
from rankalpha.executor import FailFastLocalExecutor

NAP = 3.0


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


def ended(local: FailFastLocalExecutor) -> Any:
    """Tell the executor of a task that has ended, as its worker does."""
    return local.result_queue.put(("task", "success", None))  # type: ignore[arg-type]


def test_nothing_happens_for_a_nap(local):
    assert heartbeat(local) >= NAP


def test_a_task_that_ends_ends_the_nap(local):
    Timer(0.2, ended, [local]).start()
    assert 0.2 <= heartbeat(local) < NAP
    assert list(local.event_buffer) == ["task"]


def test_a_task_that_has_ended_before_leaves_no_nap(local):
    ended(local)
    time.sleep(0.2)  # until the queue has it
    assert heartbeat(local) < NAP


def test_a_task_is_handed_out_before_the_nap(local, monkeypatch):
    handed = []
    monkeypatch.setattr(local, "trigger_tasks", lambda _slots: handed.append(time.monotonic()))
    assert heartbeat(local) >= NAP
    assert time.monotonic() - handed[0] >= NAP
