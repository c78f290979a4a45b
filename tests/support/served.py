"""What the API server shows of a run: the one list that the tests of secrets read whole."""

import json

SERVED = (  # paths as AirflowApi takes them; {dag}, {run}, {task} and {batch} are filled in
    "dags/{dag}/details",
    "dags/{dag}/dagRuns/{run}",
    "dags/{dag}/dagRuns/{run}/taskInstances",
    "dags/{dag}/dagRuns/{run}/taskInstances/{task}",
    "dags/{dag}/dagRuns/{run}/taskInstances/{task}/tries",
    "dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries",
    "dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value",
    "dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/1",
    "assets",
    "assets/events?limit=100&order_by=-timestamp",
    "eventLogs?limit=100&order_by=-when",
    "variables?limit=100",
    "connections?limit=100",
    "config",
    "monitor/health",
    "/rankalpha/overview?days=1",
    "/rankalpha/lineage/{batch}",
)


def served(api, **names):
    """All of it, as one text."""
    return json.dumps([api.get(path.format(**names)) for path in SERVED])
