"""The scheduler's nap: how long it is while nothing happens, and that it is over when there is news.

`tests/scheduler/test_wakeup.py` has what is news.
"""

import gc
import multiprocessing
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.executors.local_executor import LocalExecutor

from rankalpha.airflow_fixes import executor
from rankalpha.airflow_fixes.executor import (
    AWAKE_SECONDS,
    LOOK_SECONDS,
    NAP_SECONDS,
    REST_SECONDS,
    FailFastLocalExecutor,
)

NAP = pytest.approx(NAP_SECONDS, abs=2 * LOOK_SECONDS)
REST = pytest.approx(REST_SECONDS, abs=2 * LOOK_SECONDS)
FIFTH = pytest.approx(5 * LOOK_SECONDS, abs=LOOK_SECONDS)  # how long a nap takes that the fifth look ends


class Clock:
    """Goes on by what a nap waits for only, and is what it waits with.

    `at` has what happens meanwhile, by the number of hundredths of a second.
    """

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0
        self.at: dict[int, Callable[[], Any]] = {}
        self.listens = self.news = False

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        until = self.now + seconds
        while self.now < until and not self.news:
            self.looks += 1
            self.at.pop(self.looks, lambda: None)()
            self.now += LOOK_SECONDS
        self.news, had = False, self.news
        return had

    def tell(self) -> None:
        """Let there be news."""
        self.news = True


@pytest.fixture
def local() -> Iterator[FailFastLocalExecutor]:
    multiprocessing.set_start_method("fork", force=True)  # as env/local/airflow.env says
    made = FailFastLocalExecutor(parallelism=2)
    made.start()
    yield made
    made.end()


@pytest.fixture
def clock(local, monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(executor, "time", made)
    monkeypatch.setattr(local, "_news", made)
    monkeypatch.setattr(local, "_awake_until", 0.0)
    return made


@pytest.fixture
def nap(local, clock) -> Callable[[], float]:
    """Let the executor's heart beat; returns for how many seconds it has napped."""

    def beat() -> float:
        began = clock.now
        local.heartbeat()
        return clock.now - began

    return beat


def end_of_worker(local: FailFastLocalExecutor) -> Any:
    """Tell the executor that the process of "task" has ended, as its worker does."""
    if not hasattr(local, "_worker_tasks"):
        return local.result_queue.put(("task", "success", None))  # type: ignore[arg-type]
    worker = next(iter(local.workers))  # from Airflow 3.4 on a worker says who it is, and when it has begun
    local._worker_tasks[worker] = "task"
    return local.result_queue.put((worker, "task", "success", None))


def test_nobody_notifies_the_scheduler(nap):
    assert nap() == NAP


def test_nothing_happens_for_a_rest(clock, nap):
    clock.listens = True
    assert nap() == REST


def test_while_a_worker_has_a_task_the_scheduler_does_not_rest(local, clock, nap):
    clock.listens = True
    local.running.add("task")
    assert nap() == NAP


def test_news_ends_a_rest_and_naps_follow_for_a_while(clock, nap):
    clock.listens = True
    clock.at[5] = clock.tell
    assert nap() == FIFTH
    naps = [nap() for _ in range(round(AWAKE_SECONDS / NAP_SECONDS))]
    assert naps == [NAP] * len(naps)
    assert nap() == REST


def test_news_from_before_leaves_no_nap(clock, nap):
    clock.tell()
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


@pytest.fixture
def deferred(local, monkeypatch) -> FailFastLocalExecutor:
    """Hand a task out twice; the worker that has deferred it reports its end after that."""
    task: Any = SimpleNamespace(key="task")
    with monkeypatch.context() as patched:
        patched.setattr(local, "activity_queue", SimpleNamespace(put=lambda _: None, empty=lambda: True))
        for _ in range(2):
            local.queued_tasks["task"] = task
            local._process_workloads([task])
    end_of_worker(local)
    made: FailFastLocalExecutor = local
    return made


COUNTS = pytest.mark.skipif(hasattr(LocalExecutor, "_finish_dispatch"), reason="Airflow counts from 3.4 on")


@COUNTS
def test_airflow_itself_takes_the_end_of_a_deferral_for_that_of_the_resumed_task(deferred, monkeypatch):
    """When this fails it does not: remove change_state from rankalpha/airflow_fixes/executor.py."""
    with monkeypatch.context() as patched:
        patched.setattr(FailFastLocalExecutor, "change_state", LocalExecutor.change_state)
        deferred._read_results()
    assert list(deferred.event_buffer) == ["task"]
    assert not deferred.has_task(SimpleNamespace(key="task", id="task")), "the scheduler fails the task"


@COUNTS
def test_the_end_of_a_deferral_is_left_out_when_the_task_has_resumed(deferred):
    deferred._read_results()
    assert not deferred.event_buffer
    end_of_worker(deferred)
    deferred._read_results()
    assert list(deferred.event_buffer) == ["task"]
    assert not deferred._handed_out


def test_what_is_loaded_stays_out_of_collections_when_workers_are_started(local):
    """Airflow's own thaws it; a collection then writes into all memory that the workers share."""
    assert gc.get_freeze_count() > 0
    local._spawn_workers_with_gc_freeze(1)
    assert gc.get_freeze_count() > 0
