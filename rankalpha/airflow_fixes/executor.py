"""Airflow's LocalExecutor, whose scheduler rests until there is work for it, and which does not hang.

A scheduler with nothing to do sleeps for a fixed time, and the next task waits for half of it on average. A
scheduler that has just started a task looks for more at once, which slows that task down. Here the scheduler
does not sleep (`scheduler_idle_sleep_time`); the executor naps until the database notifies it instead.

LocalExecutor of Airflow 3.3.2 and 3.4.0b2 can wait for ever. Its workers share a queue, and the worker that
waits for work holds the queue's lock. When that worker is killed, by a person or because memory is short, no
other worker gets a task again. When the scheduler gives up because it lost its database, a worker that misses
the word to end keeps it from ending (issue 67870).

A scheduler that starts again resets what was running, and its tasks adopt their stages. So the process ends
here, and its supervisor starts the next one.

A worker may report the end of a task that it has deferred after the task has been handed out again. Airflow
3.3.2 takes that for the end of the second worker, and fails the task (issue 72716). Here it is left out.
"""

import gc
import os
import time
from collections import Counter
from threading import Timer
from typing import Any

from airflow.executors.local_executor import LocalExecutor

from rankalpha.airflow_fixes import scheduler, wakeup
from rankalpha.airflow_fixes.fix import AbsentError, Fix

END_SECONDS = 8  # Docker and supervisor kill after 10
NAP_SECONDS = 0.25  # between two looks into the database for what has to run
REST_SECONDS = 1.0  # the same while nothing happens and the database notifies the scheduler of what does
AWAKE_SECONDS = 5.0  # after news, because a look may leave more to do than it does
LOOK_SECONDS = 0.01  # between two looks at the workers, of which none is free
ENDS = ("success", "failed")  # what a worker reports when it has ended


class FailFastLocalExecutor(LocalExecutor):
    """Lets the scheduler nap until there is news; ends its process where LocalExecutor would hang."""

    def start(self) -> None:
        """Load what tasks need before the workers are forked, which saves a third of a task's start.

        The workers mask what they print.
        """
        # not needed by processes that only ask which executor there is
        from airflow.sdk import Asset  # noqa: PLC0415

        from rankalpha import defaults, operators  # noqa: F401, PLC0415
        from rankalpha.containers import trigger  # noqa: F401, PLC0415
        from rankalpha.logs import mask_output  # noqa: PLC0415
        from rankalpha.operators import http_call  # noqa: F401, PLC0415
        from rankalpha.runners import runner  # noqa: PLC0415

        if not self.is_mp_using_fork:
            self.log.warning(
                "Set AIRFLOW__CORE__MP_START_METHOD=fork: as it is, workers start slowly and take more memory"
            )
        self._news = wakeup.Wakeup()
        self._handed_out: Counter[Any] = Counter()  # workers that have not reported their end, by their task
        self._awake_until = time.monotonic() + AWAKE_SECONDS
        self._fixed = FIX.on()
        scheduler.FIX.on()
        Asset("rankalpha://any")  # loads the providers' kinds of URIs
        runner()
        mask_output()
        gc.collect()
        gc.freeze()  # what is loaded, so that a collection does not write into the memory that workers share
        super().start()

    def heartbeat(self) -> None:
        """See LocalExecutor; then nap until there is news, but no longer than NAP_SECONDS or REST_SECONDS.

        The process of a task ends somewhat later than its task, and matters only when no slot is free.
        """
        super().heartbeat()
        now = time.monotonic()
        rests = self._news.listens and not self.running and now >= self._awake_until
        end = now + (REST_SECONDS if rests else NAP_SECONDS)
        while (left := end - time.monotonic()) > 0 and not self._slot_came_free():
            if self._news.wait(left if self.slots_available else min(left, LOOK_SECONDS)):
                self._awake_until = time.monotonic() + AWAKE_SECONDS
                break
        self.sync()

    def _slot_came_free(self) -> bool:
        return self._fixed and self.slots_available == 0 and not self.result_queue.empty()

    def _process_workloads(self, workload_list: Any) -> None:
        """See LocalExecutor; from 3.4 on it counts by itself."""
        if not hasattr(self, "_finish_dispatch"):
            self._handed_out.update(workload.key for workload in workload_list)
        super()._process_workloads(workload_list)  # type: ignore[no-untyped-call]

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        """See BaseExecutor; the end of a worker whose task is with another one meanwhile is left out."""
        if state in ENDS:
            others = self._handed_out.pop(key, 1) - 1
            if others > 0:
                self._handed_out[key] = others
                return
        super().change_state(key, state, info, remove_running)

    def _check_workers(self) -> None:
        """See LocalExecutor; it is called before a task is handed out and at each heartbeat."""
        workers = self.workers if self._fixed else {}
        killed = [pid for pid, worker in workers.items() if (worker.exitcode or 0) < 0]
        if killed:
            self.log.critical("Worker %s was killed; the scheduler starts again", ", ".join(map(str, killed)))
            os._exit(os.EX_TEMPFAIL)  # in order, it would wait for workers that wait for each other
        super()._check_workers()  # type: ignore[no-untyped-call]

    def _spawn_workers_with_gc_freeze(self, spawn_number: int) -> None:
        """Start workers; what `start` has frozen stays so, where LocalExecutor would thaw it."""
        for _ in range(spawn_number):
            self._spawn_worker()  # type: ignore[no-untyped-call]

    def end(self) -> None:
        """Wait for the tasks that run, but no longer than END_SECONDS."""
        last = Timer(END_SECONDS, os._exit, [os.EX_TEMPFAIL])
        last.daemon = True
        last.start()
        super().end()
        last.cancel()


def check_parts() -> None:
    """Raise AbsentError for what the class above replaces or reads and this Airflow lacks."""
    known = {*dir(LocalExecutor), *LocalExecutor.__annotations__}
    if absent := {"_check_workers", "_process_workloads", "change_state", "result_queue", "workers"} - known:
        raise AbsentError(f"LocalExecutor has no {' and no '.join(sorted(absent))}")


FIX = Fix(
    name="executor",
    versions="3.3.2",
    issue="https://github.com/apache/airflow/issues/67870",
    apply=check_parts,
)
