"""Which errors of a stage are retried, and what a task that is killed does with its container."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from rankalpha import masking
from rankalpha.alerts.notifier import EndedByPerson
from rankalpha.containers.attempt import Attempt
from rankalpha.containers.task_state import state_of
from rankalpha.pipeline.batch import BatchError
from rankalpha.runners.failures import StageFailed, StageInvalid, StageLeft
from rankalpha.settings import SettingsError
from rankalpha.stages.storable import ResultError

CANNOT_HEAL = (BatchError, SettingsError, StageInvalid, ResultError)
# states of a task whose attempt was ended by a person, and not by the death of a process
ENDED_BY_PERSON = ("failed", "success", "skipped", "removed", "restarting", "upstream_failed")


class Killed(SystemExit):
    """Airflow ends this process; no library takes a SystemExit for an error of its own, nor does asyncio."""


@contextmanager
def as_airflows_errors(attempt: Attempt, ti: Any) -> Iterator[None]:
    """Turn errors into Airflow's; stop the container when a person has ended the task.

    The container goes on when this process is killed for another reason: the scheduler has given the
    task to another process, which adopts it.
    """
    try:
        yield
    except (*CANNOT_HEAL, StageFailed) as error:
        text, heals = masking.quoted(error), not isinstance(error, CANNOT_HEAL)
        whole = text == str(error)
        if heals and whole:
            raise
        # Airflow would log the cause with all of its text
        raise (type(error) if heals else AirflowFailException)(text) from (error if whole else None)
    except Killed as killed:
        if state_of(ti) not in ENDED_BY_PERSON:
            raise StageLeft("stopped by Airflow; the stage goes on") from killed
        attempt.stop()
        raise EndedByPerson("stopped by Airflow") from killed
