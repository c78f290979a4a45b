"""Scheduled runs of past days, and an API server that may just have been killed."""

from datetime import timedelta

import requests

from rankalpha.pipeline.batch import key_of
from tests.support.waiting import wait_for


def patiently(ask, *arguments, **options):
    """Ask again while the API server, which may just have been killed, does not answer."""
    return wait_for(
        "the API server", lambda: [ask(*arguments, **options)], forgive=requests.RequestException
    )[0]


def backfill(lane, first, days, again="none"):
    """Let Airflow create scheduled runs of past days, once its former backfill counts as completed.

    `again` is "completed" where days that have runs get another one. Returns the keys of the batches.
    """
    stack, dag_id = lane.stack, lane.dag("ingestion")

    def completed():
        former = patiently(stack.api.get, "backfills", dag_id=dag_id)["backfills"]
        return all(one["completed_at"] for one in former)

    wait_for("the end of the former backfill", completed, seconds=120)
    patiently(
        stack.api.post,
        "backfills",
        {
            "dag_id": dag_id,
            "from_date": first.isoformat(),
            "to_date": (first + timedelta(days=days, seconds=-1)).isoformat(),
            "max_active_runs": 1,
            "reprocess_behavior": again,
        },
    )
    return [scheduled(lane, first + timedelta(days=day)) for day in range(days)]


def scheduled(lane, midnight):
    """Return the key of the batch that a day has by the schedule."""
    minute, hour = map(int, lane.market.schedule.split()[:2])
    return key_of(midnight + timedelta(hours=hour, minutes=minute))
