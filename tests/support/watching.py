"""Rounds of the watchdog, and what the operator's command shows, as tests ask for them."""

import json
from datetime import UTC, datetime

from rankalpha.pipeline.steps import WATCHDOG_DAG
from tests.support.waiting import wait_for

ENDED = ["success", "failed"]


def watch(stack, since=None):
    """Let the watchdog do a round; return the logs of all rounds since then, also of those by the clock."""
    since = since or datetime.now(UTC).isoformat()
    run_id = stack.trigger(WATCHDOG_DAG)
    wait_for("a round of the watchdog", lambda: stack.runs(WATCHDOG_DAG, run_id_pattern=run_id, state=ENDED))
    assert stack.tasks(WATCHDOG_DAG, run_id)["watch_batches"]["state"] == "success"
    rounds = stack.runs(WATCHDOG_DAG, state=ENDED, start_date_gte=since)
    logs = [
        json.loads(stack.log(WATCHDOG_DAG, run["dag_run_id"], "watch_batches"))["content"] for run in rounds
    ]
    return "\n".join(line["event"] for log in logs for line in log)


def health_from_outside(stack):
    """What `rankalpha health` shows, as JSON, and its exit status."""
    done = stack.command("health", "--json")
    return json.loads(done.stdout), done.returncode
