"""A batch that its contract blocks, in the containers: kept, and published anyway by a person's command."""

import json

from rankalpha.alerts.sent import all_sent
from tests.support.waiting import wait_for

RESULT = json.dumps({"rows": 0, "symbols": 0, "as_of": "2022-12-28"})
EMPTY = f"""sh -c 'echo "$0" > $RANKALPHA_RESULT' '{RESULT}'"""


def command_of_alert(stack, key):
    """The command that an alert tells its reader to run."""
    alert = next(one.incident.text for one in all_sent(stack.api) if one.incident.key == key)
    return next(line.strip() for line in alert.splitlines() if line.startswith("  docker compose"))


def test_a_blocked_batch_is_published_anyway_once(stack, batch):
    with stack.variables(SCORER_COMMAND=EMPTY):
        run_id = stack.trigger("rankalpha_scoring", batch)
        stack.settle()
    path = f"dags/rankalpha_scoring/dagRuns/{run_id}/taskInstances/publish_scores"
    kept = stack.api.get(f"{path}/xcomEntries/quarantine")["value"]
    assert (kept["batch"], kept["result"]["rows"]) == (batch, 0)
    before = stack.events("scores")
    line = command_of_alert(stack, f"failed rankalpha_scoring {run_id}")
    done = stack.run("sh", "-c", line)  # as somebody pastes it
    assert (done.returncode, f"Batch {batch} is complete." in done.stdout) == (0, True), done.stdout
    event = wait_for("the forced scores", lambda: stack.events("scores")[len(before) :])[0]
    assert event["extra"]["forced"] == {"by": "rankalpha", "reason": "why it is right"}
    stack.settle()
    again = stack.run("sh", "-c", line)
    assert (again.returncode, f"batch {batch} is not blocked in scores" in again.stdout) == (2, True)


def test_the_reference_services_pass_their_contracts(stack, batch):
    for asset in ("prices", "scores", "sentiment", "grades"):
        event = stack.events(asset)[0]
        assert event["partition_key"] == batch
        assert [one for one in event["extra"]["checks"] if not one["passed"]] == []
