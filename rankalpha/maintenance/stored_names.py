"""Renames the code that Airflow's database names: triggers of deferred tasks and callbacks of deadlines."""

from collections.abc import Mapping
from typing import Any

from airflow.models.callback import Callback
from airflow.models.deadline_alert import DeadlineAlert
from airflow.models.trigger import Trigger
from airflow.triggers.callback import CallbackTrigger
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.orm import Session

PATH = "callback_path"  # the argument of the trigger that runs a deadline's callback


def rename_stored(names: Mapping[str, str]) -> int:
    """Rename each old name in `names`; return how many rows held one. Safe to repeat.

    To be called while no triggerer runs, because a triggerer keeps the names that it has read.
    """
    with create_session() as session:
        return _rename_triggers(names, session) + _rename_callbacks(names, session)


def _rename_triggers(names: Mapping[str, str], session: Session) -> int:
    renamed = 0
    for trigger in session.scalars(select(Trigger).where(Trigger.classpath.in_(names))):
        trigger.classpath = names[trigger.classpath]
        renamed += 1
    runs_callback = CallbackTrigger("", {}).serialize()[0]
    for trigger in session.scalars(select(Trigger).where(Trigger.classpath == runs_callback)):
        if (path := trigger.kwargs[PATH]) in names:
            trigger.kwargs = {**trigger.kwargs, PATH: names[path]}
            renamed += 1
    return renamed


def _rename_callbacks(names: Mapping[str, str], session: Session) -> int:
    renamed = 0
    for row, column in [
        *((row, "data") for row in session.scalars(select(Callback))),
        *((row, "callback_def") for row in session.scalars(select(DeadlineAlert))),
    ]:
        stored = getattr(row, column)
        if (new := _renamed(stored, names)) != stored:
            setattr(row, column, new)
            renamed += 1
    return renamed


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a JSON value with the texts in it renamed that are an old name."""
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value
