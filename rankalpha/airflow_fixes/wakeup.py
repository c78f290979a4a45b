"""Wakes the scheduler when a task has ended, through a pipe that workers and their tasks inherit.

A pipe needs no lock, as multiprocessing's events and queues do: a task that is killed while it wakes the
scheduler holds up nobody.

Airflow has no setting for it: its scheduler sleeps for a fixed time. Without this fix the executor naps for
that time too.
"""

import os
import select
from contextlib import suppress

from airflow.listeners import hookimpl

from rankalpha.airflow_fixes.fix import Fix, part

ALL = 65536  # bytes; what a pipe holds


class Wakeup:
    """Waits in the process that has made it; wakes it from tasks, as a listener of Airflow's."""

    def __init__(self) -> None:
        self._waiting, self._waking = os.pipe()
        os.set_blocking(self._waking, False)
        self._poll = select.poll()
        self._poll.register(self._waiting, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Wait no longer than that; return whether a task has ended since the last call."""
        if not self._poll.poll(seconds * 1000):
            return False
        os.read(self._waiting, ALL)
        return True

    @hookimpl
    def on_task_instance_success(self) -> None:
        """See airflow.listeners; Airflow has recorded the task's state by then."""
        self._wake()

    @hookimpl
    def on_task_instance_failed(self) -> None:
        """See airflow.listeners."""
        self._wake()

    @hookimpl
    def on_task_instance_skipped(self) -> None:
        """See airflow.listeners."""
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # full, so it will wake in any case
            os.write(self._waking, b".")


def listen(wakeup: Wakeup) -> None:
    """Have Airflow call a Wakeup in this process and in those that it forks; loads the plugins."""
    part("airflow.sdk.listener", "get_listener_manager")().add_listener(wakeup)


FIX = Fix(name="wakeup", versions="3.3", apply=listen)
