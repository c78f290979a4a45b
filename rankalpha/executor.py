"""Airflow's LocalExecutor, which in Airflow 3.3.2 can wait for ever, made to end instead.

Its workers share a queue. The one that waits for work holds the queue's lock; when that one is killed, by the
kernel for want of memory or by a person, no other ever gets a task again. And when the scheduler gives up,
because its database went away, a worker that does not get the word to end keeps it from ending.

A scheduler that starts anew resets what was running, and stages are adopted: so its process ends, and what
supervises it starts the next one.
"""

import os
from threading import Timer

from airflow.executors.local_executor import LocalExecutor

END_SECONDS = 8  # Docker and supervisor kill after 10


class FailFastLocalExecutor(LocalExecutor):
    """Ends the scheduler's process where LocalExecutor would hang."""

    def start(self) -> None:
        """Load what tasks need before the workers are forked, which share it: a third of a task's start."""
        # of no use to those who only ask which executor there is
        from airflow.sdk.listener import get_listener_manager  # noqa: PLC0415

        from rankalpha import defaults, http_call, operators, trigger  # noqa: F401, PLC0415
        from rankalpha.runners import runner  # noqa: PLC0415

        get_listener_manager()  # loads the plugins
        runner()
        super().start()

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
