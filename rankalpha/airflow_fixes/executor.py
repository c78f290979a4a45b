"""Airflow's LocalExecutor, whose scheduler sees at once that a task has ended, and which does not hang.

A scheduler with nothing to do sleeps for a fixed time, and what follows a task waits for half of it on
average; when it has just handed out a task, it looks for more at once, which slows that task down. Here it
does not sleep, by `scheduler_idle_sleep_time`, and the executor naps until a task has ended instead.

LocalExecutor of Airflow 3.3.2 and 3.4.0b2 can wait for ever. Its workers share a queue. The one that waits
for work holds the queue's lock; when that one is killed, by the kernel for want of memory or by a person, no
other ever gets a task again. And when the scheduler gives up, because its database went away, a worker
that does not get the word to end keeps it from ending.

A scheduler that starts anew resets what was running, and stages are adopted: so its process ends, and what
supervises it starts the next one.
"""

import os
import time
from threading import Timer

from airflow.executors.local_executor import LocalExecutor

from rankalpha.airflow_fixes.wakeup import Wakeup

END_SECONDS = 8  # Docker and supervisor kill after 10
NAP_SECONDS = 0.25  # between two looks into the database for what has to run
LOOK_SECONDS = 0.01


class FailFastLocalExecutor(LocalExecutor):
    """Wakes the scheduler when a task has ended; ends its process where LocalExecutor would hang."""

    def start(self) -> None:
        """Load what tasks need before the workers are forked, which share it: a third of a task's start.

        They mask what they print.
        """
        # of no use to those who only ask which executor there is
        from airflow.sdk import Asset  # noqa: PLC0415
        from airflow.sdk.listener import get_listener_manager  # noqa: PLC0415

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
        self._task_ended = Wakeup()
        # asking for it loads the plugins
        get_listener_manager().add_listener(self._task_ended)  # type: ignore[no-untyped-call]
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
        return self.slots_available == 0 and not self.result_queue.empty()

    def _check_workers(self) -> None:
        """See LocalExecutor; it is called before a task is handed out and at each heartbeat."""
        killed = [pid for pid, worker in self.workers.items() if (worker.exitcode or 0) < 0]
        if killed:
            self.log.critical("Worker %s was killed: the scheduler starts anew", ", ".join(map(str, killed)))
            os._exit(os.EX_TEMPFAIL)  # in order, it would wait for workers that wait for each other
        super()._check_workers()  # type: ignore[no-untyped-call]

    def end(self) -> None:
        """Wait for the tasks that run, but no longer than END_SECONDS."""
        last = Timer(END_SECONDS, os._exit, [os.EX_TEMPFAIL])
        last.daemon = True
        last.start()
        super().end()
        last.cancel()
