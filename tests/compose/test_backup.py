"""A backup of the containers, restored in empty volumes: the same runs, grades and page, and it goes on."""

import os
import re
import stat

import pytest
import requests

pytestmark = [pytest.mark.timeout(900), pytest.mark.story]
BACKUP = ("run", "--rm", "--no-TTY", "--build", "backup")
ASSETS = ("prices", "scores", "sentiment", "grades")
SECRET = {"key": "KEPT_TOO", "value": "as it was"}  # encrypted in the database


def shown(stack):
    """What people see of what was done."""
    answer = requests.get(f"{stack.urls['api']}/api/v1/grading/grades", timeout=10).json()
    record = requests.get(f"{stack.urls['api']}/api/v1/grading/batches", timeout=10).json()
    assert record["total"] > 0
    best = answer["grades"][0]["symbol"]
    path = f"{stack.urls['api']}/api/v1/grading/symbols/{best}/history"
    history = requests.get(path, timeout=10).json()
    assert history["history"][0]["batch"] == answer["batch"]
    return {
        "grades": answer,
        "record": record,
        "history": history,
        "events": {asset: [event["id"] for event in stack.events(asset)] for asset in ASSETS},
        "runs": [run["dag_run_id"] for run in stack.runs("rankalpha_grading")],
    }


@pytest.fixture(scope="module", autouse=True)
def removed(stack):
    """The modules after this one begin with a stack of their own, which has one batch."""
    yield
    stack.down()


@pytest.fixture(scope="module")
def backed_up(stack, batch, checkout):
    """The name of a backup of the running stack, and what was shown then."""
    stack.settle()
    stack.api.post("variables", SECRET)
    before = shown(stack)
    printed = stack.output(*BACKUP)
    name = re.search(r"Backed up to /backups/(\S+\.tar\.gz), ", printed)[1]
    status = (checkout / "backups" / name).stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == (checkout / "backups").stat().st_uid
    return name, before


def restore(stack, name, *options):
    return stack.compose(*BACKUP, "rankalpha", "restore", name, *options)


def test_a_running_stack_is_not_replaced(stack, backed_up):
    refused = restore(stack, backed_up[0], "--yes")
    assert (
        "error: the stack runs, or its database is in use; stop it with `docker compose down`"
        in refused.stdout
    )


def test_elsewhere_the_command_names_the_container_for_it(stack, batch):
    done = stack.compose("exec", "--no-TTY", "airflow-scheduler", "rankalpha", "backup")
    assert "`docker compose run --rm --build backup`" in done.stdout


@pytest.fixture(scope="module")
def restored(stack, backed_up):
    """The stack, removed with its volumes, restored and started again; what it printed."""
    stack.down()
    done = restore(stack, backed_up[0])
    assert done.returncode == 0, done.stdout
    again = restore(stack, backed_up[0])  # now there is something to lose, and nobody to ask
    stack.up()
    return done.stdout, again.stdout


def test_empty_volumes_have_what_was_backed_up(stack, restored, backed_up):
    assert "Restored. `docker compose up -d` starts the stack." in restored[0]
    assert shown(stack) == backed_up[1]
    assert stack.api.get(f"variables/{SECRET['key']}")["value"] == SECRET["value"]


def test_what_is_there_is_not_replaced_without_a_yes(restored):
    assert "nothing was replaced" in restored[1]


def test_the_files_belong_to_those_who_wrote_them(stack, restored):
    """So that the stages can write beside them."""
    folders = ("/data/prices", "/data/grades", "/data/grades/history")
    owners = stack.exec("api", "stat", "-c", "%u %a", *folders).split("\n")
    user = os.environ.get("RANKALPHA_UID", "1000")
    assert owners[:3] == [f"{user} {mode}" for mode in ("777", "755", "755")]


def test_the_next_batch_is_graded(stack, batch, restored):
    stack.trigger("rankalpha_ingestion")
    stack.settle()
    assert shown(stack)["grades"]["batch"] > batch
    stack.exec("airflow-scheduler", "rankalpha", "health")
