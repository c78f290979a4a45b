"""Airflow's LocalExecutor, whose scheduler notices at once that a task has ended, and which does not hang.

A scheduler with nothing to do sleeps for a fixed time, and the next task waits for half of it on average. A
scheduler that has just started a task looks for more at once, which slows that task down. Here the scheduler
does not sleep (`scheduler_idle_sleep_time`); the executor naps until a task has ended instead.

LocalExecutor of Airflow 3.3.2 and 3.4.0b2 can wait for ever. Its workers share a queue, and the worker that
waits for work holds the queue's lock. When that worker is killed, by a person or because memory is short, no
other worker gets a task again. When the scheduler gives up because it lost its database, a worker that misses
the word to end keeps it from ending (issue 67870).

A scheduler that starts again resets what was running, and its tasks adopt their stages. So the process ends
here, and its supervisor starts the next one.
"""

import os
import time
from threading import Timer

from airflow.executors.local_executor import LocalExecutor

from rankalpha.airflow_fixes import scheduler, wakeup
from rankalpha.airflow_fixes.fix import AbsentError, Fix

END_SECONDS = 8  # Docker and supervisor kill after 10
NAP_SECONDS = 0.25  # between two looks into the database for what has to run
LOOK_SECONDS = 0.01


class FailFastLocalExecutor(LocalExecutor):
    """Wakes the scheduler when a task has ended; ends its process where LocalExecutor would hang."""

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
                "Set AIRFLOW__CORE__MP_START_METHOD=fork: as it is, workers start slowly, take more memory, "
                "and do not wake the scheduler when a task has ended"
            )
        self._task_ended = wakeup.Wakeup()
        self._fixed = FIX.on()
        wakeup.FIX.on(self._task_ended)  # otherwise each nap takes its whole time
        scheduler.FIX.on()
        Asset("rankalpha://any")  # loads the providers' kinds of URIs
        runner()
        mask_output()
        super().start()

    def heartbeat(self) -> None:
        """See LocalExecutor; then nap until a task has ended, or for NAP_SECONDS.

        The process of a task ends somewhat later than its task, and matters only when no slot is free.
        """
        super().heartbeat()
        end = time.monotonic() + NAP_SECONDS
        while time.monotonic() < end and not self._slot_came_free():
            if self._task_ended.wait(LOOK_SECONDS):
                break
        self.sync()

    def _slot_came_free(self) -> bool:
        return self._fixed and self.slots_available == 0 and not self.result_queue.empty()

    def _check_workers(self) -> None:
        """See LocalExecutor; it is called before a task is handed out and at each heartbeat."""
        workers = self.workers if self._fixed else {}
        killed = [pid for pid, worker in workers.items() if (worker.exitcode or 0) < 0]
        if killed:
            self.log.critical("Worker %s was killed; the scheduler starts again", ", ".join(map(str, killed)))
            os._exit(os.EX_TEMPFAIL)  # in order, it would wait for workers that wait for each other
        super()._check_workers()  # type: ignore[no-untyped-call]

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
    if absent := {"_check_workers", "result_queue", "workers"} - known:
        raise AbsentError(f"LocalExecutor has no {' and no '.join(sorted(absent))}")


FIX = Fix(
    name="executor",
    versions="3.3.2",
    issue="https://github.com/apache/airflow/issues/67870",
    apply=check_parts,
)
