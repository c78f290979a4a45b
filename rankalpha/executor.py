"""Airflow's LocalExecutor, restarted as a whole when one of its workers was killed.

The workers share a queue whose lock is held by the one that waits for work. When that one is killed, by the
kernel for want of memory or by a person, the lock is never released, and the scheduler goes on without ever
running a task again (Airflow 3.3.2). A scheduler that starts anew resets what was running, and stages are
adopted; so its process ends, and what supervises it starts the next one.
"""

import os

from airflow.executors.local_executor import LocalExecutor


class FailFastLocalExecutor(LocalExecutor):
    """Ends the scheduler's process when a worker of it was killed by a signal."""

    def _check_workers(self) -> None:
        """See LocalExecutor; it is called before a task is handed out and at each heartbeat."""
        killed = [pid for pid, worker in self.workers.items() if (worker.exitcode or 0) < 0]
        if killed:
            self.log.critical("Worker %s was killed: the scheduler starts anew", ", ".join(map(str, killed)))
            os._exit(os.EX_TEMPFAIL)  # in order, it would wait for workers that wait for each other
        super()._check_workers()  # type: ignore[no-untyped-call]
