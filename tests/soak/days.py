"""Simulated days: all that the stack has recorded grows a day older, so that maintenance finds it old."""

import os
from contextlib import suppress

from tests.alone.old_rows import connected

DAY = 86_400  # seconds
# the times by which maintenance prunes; rows of what has not ended keep theirs
AGED = {
    "task_instance": (
        "start_date",
        "run_id IN (SELECT run_id FROM dag_run WHERE state IN ('success', 'failed'))",
    ),
    "task_instance_history": ("start_date", "true"),
    "xcom": ("timestamp", "true"),
    "log": ("dttm", "true"),
    "job": ("latest_heartbeat", "state IN ('success', 'failed')"),
    "asset_event": ("timestamp", "true"),
    "partitioned_asset_key_log": ("created_at", "true"),
    "dag_run": ("start_date", "state IN ('success', 'failed')"),
    "callback": ("created_at", "state IN ('success', 'failed')"),
    "deadline": ("deadline_time", "missed"),
}


def pass_a_day(stack):
    """Let all runs that have ended be a day older, in the database and in the folder of logs."""
    with connected(stack) as run:
        for table, (column, ended) in AGED.items():
            run(f"UPDATE {table} SET {column} = {column} - interval '1 day' WHERE {ended}")
    for path in (stack.state / "airflow" / "logs").rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                modified = path.stat().st_mtime
                os.utime(path, (modified, modified - DAY))
