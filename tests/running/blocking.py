"""What tests of contracts do with a running stack: ingest, look at what was blocked, publish it anyway."""

import sys

from tests.support.stack import ROOT

REASON = "the exchange was closed"
SCORING = "rankalpha_scoring"


def ingest(stack, key):
    stack.trigger("rankalpha_ingestion", key)
    stack.settle()


def anyway(stack, *arguments):
    """Run the operator's command; what it starts has come to rest afterwards."""
    done = stack.run(sys.executable, str(ROOT / "scripts/stack.py"), "publish-anyway", *arguments)
    if done.returncode == 0:
        stack.settle()
    return done


def published(stack, dataset, key):
    return [event for event in stack.events(dataset) if event["partition_key"] == key]


def run_of(stack, dag_id, key):
    (run,) = stack.runs(dag_id, partition_key_prefix_pattern=key)
    return run["dag_run_id"]


def xcom(stack, dag_id, run_id, task_id, key):
    path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
    return stack.api.get(path)["value"]


def broken_checks(checks):
    return {one["name"]: one["severity"] for one in checks if not one["passed"]}
