"""Airflow's LocalExecutor, whose scheduler sees at once that a task has ended, and which does not hang.

A scheduler with nothing to do sleeps for a fixed time, and what follows a task waits for half of it on
average. Here it sleeps little, and the executor waits for the tasks instead.

LocalExecutor of Airflow 3.3.2 can wait for ever. Its workers share a queue. The one that waits for work holds
the queue's lock; when that one is killed, by the kernel for want of memory or by a person, no other ever gets
a task again. And when the scheduler gives up, because its database went away, a worker that does not get the
word to end keeps it from ending.

A scheduler that starts anew resets what was running, and stages are adopted: so its process ends, and what
supervises it starts the next one.
"""

import os
import time
from threading import Timer

from airflow.configuration import conf
from airflow.executors.local_executor import LocalExecutor

END_SECONDS = 8  # Docker and supervisor kill after 10
NAP_SECONDS = 0.25  # between two looks into the database for what has to run
LOOK_SECONDS = 0.01


class FailFastLocalExecutor(LocalExecutor):
    """Wakes the scheduler when a task has ended; ends its process where LocalExecutor would hang."""

    def start(self) -> None:
        """Load what tasks need before the workers are forked, which share it: a third of a task's start."""
        # of no use to those who only ask which executor there is
        from airflow.sdk.listener import get_listener_manager  # noqa: PLC0415

        from rankalpha import defaults, http_call, operators, trigger  # noqa: F401, PLC0415
        from rankalpha.runners import runner  # noqa: PLC0415

        get_listener_manager()  # loads the plugins
        runner()
        super().start()

    def heartbeat(self) -> None:
        """See LocalExecutor; without a task to hand out, nap before until one has ended, or NAP_SECONDS.

        Where the scheduler itself sleeps, by `scheduler_idle_sleep_time`, the nap is as much shorter.
        """
        if not self.queued_tasks:
            end = time.monotonic() + NAP_SECONDS - conf.getfloat("scheduler", "scheduler_idle_sleep_time")
            while time.monotonic() < end and self.result_queue.empty():
                time.sleep(LOOK_SECONDS)
        super().heartbeat()

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
