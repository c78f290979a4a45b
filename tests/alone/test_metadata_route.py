"""What Airflow's API server may be asked to prune, and that others need not wait; see test_roles.py too."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from rankalpha.airflow_api import OWN_ROUTES, PRUNE, AirflowApiError
from tests.alone.old_rows import OLD, backdate
from tests.support.waiting import wait_for

URL = OWN_ROUTES + PRUNE
WAITING = """
    SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%xcom%'
        AND NOT query ILIKE '%pg_stat_activity%'
"""


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ("2999-01-01T00:00:00Z", "lies in the future"),
        ("2000-01-01T00:00:00", "timezone"),
        ("yesterday", "datetime"),
        (None, "datetime"),
    ],
)
def test_a_moment_that_makes_no_sense_is_refused(stack, before, says):
    with pytest.raises(AirflowApiError, match=f"422 .*{says}"):
        stack.api.post(URL, {"before": before})


def test_the_api_answers_while_rows_are_removed(stack, lane, database):
    """Pruning waits for a lock here; requests of others must not wait with it."""
    key = "2022-05-06T06:00:00"
    lane.ingest(key)
    lane.ingest("2022-05-07T06:00:00")  # Airflow keeps the newest run of each DAG
    backdate(database, key)
    database("BEGIN")
    database("LOCK TABLE xcom IN ACCESS EXCLUSIVE MODE")
    before = (datetime.now(UTC) - OLD + timedelta(days=1)).isoformat()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(stack.api.post(URL, {"before": before})))
    thread.start()
    try:
        wait_for("pruning that waits", lambda: stack.query(WAITING))
        for _ in range(20):
            requests.get(f"{stack.api.url}/api/v2/version", timeout=5).raise_for_status()
        assert thread.is_alive()
    finally:
        database("COMMIT")
    thread.join(30)
    assert answers[0]["deleted"]["dag_run"] >= 4  # a run of each DAG, and what other tests have left as old
    events = stack.api.get("eventLogs", event="prune_metadata", limit=1, order_by="-when")["event_logs"]
    assert (events[0]["owner"], json.loads(events[0]["extra"])["before"]) == ("rankalpha", before)
