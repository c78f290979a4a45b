"""A run in Airflow's database, whose states a test changes as Airflow's processes do."""

from datetime import UTC, datetime


class Run:
    """A run of scoring, and its first task."""

    def __init__(self, pipeline, kind):
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType

        now = datetime.now(UTC)
        with create_session() as session:
            run = pipeline.dags["rankalpha_scoring"].create_dagrun(
                run_id=f"wakeup~{now.timestamp()}",
                run_after=now,
                run_type=kind,
                triggered_by=DagRunTriggeredByType.TEST,
                state=DagRunState.QUEUED,
                session=session,
            )
            session.flush()
            self.id = run.id

    def change(self, run="", task=""):
        """Let the run, or its first task, have a state."""
        from airflow.utils.session import create_session

        with create_session() as session:
            if run:
                self._row(session)._state = run
            if task:
                self._first(session).state = task

    def clear(self):
        """Clear its tasks, as the API does."""
        from airflow.models.taskinstance import clear_task_instances
        from airflow.utils.session import create_session

        with create_session() as session:
            clear_task_instances(self._row(session).get_task_instances(session=session), session=session)

    def defer(self, trigger):
        """Defer its first task, as the API does for a worker."""
        from airflow.models.trigger import Trigger
        from airflow.utils.session import create_session

        with create_session() as session:
            row = Trigger.from_object(trigger)
            session.add(row)
            session.flush()
            first = self._first(session)
            first.state, first.trigger_id, first.next_method = "deferred", row.id, "collect"

    def state(self):
        """The state of its first task."""
        from airflow.utils.session import create_session

        with create_session() as session:
            return self._first(session).state

    def _row(self, session):
        from airflow.models.dagrun import DagRun

        return session.get(DagRun, self.id)

    def _first(self, session):
        return min(self._row(session).get_task_instances(session=session), key=lambda ti: ti.task_id)
