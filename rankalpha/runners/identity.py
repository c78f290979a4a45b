"""Which task a stage's container belongs to: its labels and its name.

A *try group* is a task instance with its retries, until somebody clears it. All attempts of a group share one
container name, and an engine accepts a name once. So at most one container counts, whoever asks for it,
however often, and whatever has died in between. Clearing a task begins a new group, and so a new container:
Airflow then raises `max_tries`, which a retry does not change.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from airflow.sdk import Context

from rankalpha.settings import settings

PREFIX = "rankalpha."
GROUP = f"{PREFIX}group"
STAGE = f"{PREFIX}stage"
MADE_BY = f"{PREFIX}made"  # what its version is made by, see `rankalpha.pipeline.reuse`
UNTIL = f"{PREFIX}until"  # of a container that no task has: the time in UTC at which it is given up
SET_ASIDE = "-try"  # what the name of a container that is set aside continues with, where names can change


def name_aside(name: str, try_number: int) -> str:
    """Return the name of a container that is set aside, which had `name`."""
    return f"{name}{SET_ASIDE}{try_number}"


def is_set_aside(name: str) -> bool:
    """Return whether the name is that of a container that is set aside."""
    return re.search(f"{SET_ASIDE}[0-9]+$", name) is not None


@dataclass(frozen=True)
class Identity:
    """One attempt of a stage's task; `map_index` is -1 for a task that is not mapped."""

    stage: str
    batch: str
    dag: str
    task: str
    run: str
    map_index: int
    group: int  # Airflow's max_tries
    try_number: int

    @classmethod
    def of(cls, context: Context, stage: str, batch: str) -> "Identity":
        """Return the identity of the running task."""
        ti: Any = context["ti"]
        return cls(
            stage=stage,
            batch=batch,
            dag=ti.dag_id,
            task=ti.task_id,
            run=ti.run_id,
            map_index=-1 if ti.map_index is None else ti.map_index,
            group=ti.max_tries,
            try_number=ti.try_number,
        )

    @property
    def of_task(self) -> dict[str, str]:
        """The labels that all containers of the task instance carry, whatever their group."""
        task = {"dag": self.dag, "task": self.task, "run": self.run, "map": str(self.map_index)}
        return {f"{PREFIX}{key}": value for key, value in {**task, "stack": settings().stack}.items()}

    @property
    def labels(self) -> dict[str, str]:
        """The labels of a container that this attempt starts."""
        own = {"stage": self.stage, "batch": self.batch, "group": self.group, "try": self.try_number}
        return {**self.of_task, **{f"{PREFIX}{key}": str(value) for key, value in own.items()}}

    @property
    def name(self) -> str:
        """The name of the group's container."""
        return f"rankalpha-{self.stage}-{self.batch.replace(':', '-')}-{self._digest}"

    @property
    def version(self) -> str:
        """The name of the version that a container of this attempt writes; no other attempt has it."""
        return f"{self.stage}-{self._digest}-{self.try_number}"

    @property
    def _digest(self) -> str:
        group = "\n".join([*self.of_task.values(), str(self.group)])
        return sha256(group.encode()).hexdigest()[:8]
