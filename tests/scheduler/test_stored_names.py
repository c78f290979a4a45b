"""The names of our code in Airflow's database, renamed by an upgrade."""

from datetime import UTC, datetime

from rankalpha.maintenance.stored_names import rename_stored
from rankalpha.stack.upgrade import RENAMED

STAGE, MISSED = "rankalpha.trigger.StageTrigger", "rankalpha.alerts.missed"


def test_triggers_and_callbacks_are_renamed_once(airflow_db):
    from airflow.models.callback import TriggererCallback
    from airflow.models.trigger import Trigger
    from airflow.sdk import AsyncCallback
    from airflow.triggers.callback import CallbackTrigger
    from airflow.utils.session import create_session

    from rankalpha.alerts.deadline import missed

    arguments = {"container": "abc", "limit": 60.0, "secrets": ["OPENAI_API_KEY"], "written": []}
    other = {"moment": datetime(2026, 1, 1, tzinfo=UTC)}
    callback = TriggererCallback(AsyncCallback(missed), prefix="deadline_alerts")
    callback.data = {**callback.data, "path": MISSED}
    with create_session() as session:
        running = Trigger.from_object(CallbackTrigger(MISSED, {"context": {"dag_run": {"dag_id": "d"}}}))
        rows = [Trigger(STAGE, arguments), Trigger("airflow.triggers.other.Other", other), running, callback]
        session.add_all(rows)
        session.flush()
        stage, foreign, running, callback = (row.id for row in rows)
    assert rename_stored(RENAMED) >= 3
    with create_session() as session:
        assert session.get(Trigger, stage).classpath == RENAMED[STAGE]
        assert session.get(Trigger, stage).kwargs == arguments
        assert session.get(Trigger, foreign).kwargs == other
        assert session.get(Trigger, running).kwargs["callback_path"] == RENAMED[MISSED]
        assert session.get(Trigger, running).kwargs["callback_kwargs"]["context"]["dag_run"] == {
            "dag_id": "d"
        }
        assert session.get(TriggererCallback, callback).data["path"] == RENAMED[MISSED]
        assert session.get(TriggererCallback, callback).data["prefix"] == "deadline_alerts"
    assert rename_stored(RENAMED) == 0


def test_the_deadlines_of_stored_dags_are_renamed(airflow_db):
    from airflow.models.deadline_alert import DeadlineAlert
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def paths(session):
        return {alert.callback_def["__data__"]["path"] for alert in session.scalars(select(DeadlineAlert))}

    with create_session() as session:
        assert paths(session) == {RENAMED[MISSED]}
        for alert in session.scalars(select(DeadlineAlert)):
            data = {**alert.callback_def["__data__"], "path": MISSED}
            alert.callback_def = {**alert.callback_def, "__data__": data}
    with create_session() as session:
        assert paths(session) == {MISSED}
    assert rename_stored(RENAMED) >= 4
    with create_session() as session:
        assert paths(session) == {RENAMED[MISSED]}
