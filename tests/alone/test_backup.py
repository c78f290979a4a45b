"""A backup of a running stack, restored in an empty one: the same runs, grades and pages, and it goes on."""

import io
import os
import stat
import subprocess
import tarfile

import pytest
import requests

from tests.support.embedded_stack import RunningStack
from tests.support.recording_stack import write_markets
from tests.support.template import copy_database
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.story]
DAGS = ("rankalpha_ingestion", "rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading")
ASSETS = ("prices", "scores", "sentiment", "grades")
SECRET = {"key": "KEPT", "value": "as it was"}  # encrypted in the database


@pytest.fixture(scope="module")
def folder(home):
    made = home / "backup"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def stack(folder, shared):
    """A stack with the reference services; one of its own because it is removed in between."""
    write_markets(folder / "markets.toml", {"default": {}})
    copy_database(shared, folder / "state" / "postgres")
    running = RunningStack(folder / "state", RANKALPHA_MARKETS=str(folder / "markets.toml"))
    with running.started():
        yield running


def history(stack):
    """The record of a symbol's grades."""
    answer = requests.get(f"{stack.urls['api']}/api/v1/grading/symbols/XOM/history", timeout=10)
    return [(row["batch"], row["rank"], row["signals"]) for row in answer.json()["history"]]


def grades(stack):
    return requests.get(f"{stack.urls['api']}/api/v1/grading/grades", timeout=10).json()


def finished(stack):
    """What people see of what was done: runs, events, the grades and what they were made of."""
    runs = {dag_id: stack.runs(dag_id, state=["success"]) for dag_id in DAGS}
    return {
        "runs": {dag_id: [(run["dag_run_id"], run["end_date"]) for run in of] for dag_id, of in runs.items()},
        "events": {asset: [(e["id"], e["extra"]) for e in stack.events(asset)] for asset in ASSETS},
        "history": history(stack),
        "ranking": [(row["symbol"], row["grade"]) for row in grades(stack)["grades"]],
        "page": requests.get(stack.urls["frontend"], timeout=10).text,
    }


@pytest.fixture(scope="module")
def batch(stack):
    """A batch that is graded."""
    stack.trigger("rankalpha_ingestion")
    stack.settle()
    return stack.events("grades")[-1]["partition_key"]


@pytest.fixture(scope="module")
def backed_up(stack, folder, batch):
    """A backup made while the scorer ran for the batch again, what was finished then, and that run."""
    stack.api.post("variables", SECRET)
    gate, file, before = folder / "gate", folder / "all.tar.gz", finished(stack)
    gate.touch()
    held = f"sh -c 'while [ -e {gate} ]; do sleep 0.1; done; exec python apps/scorer/main.py'"
    with stack.variables(SCORER_COMMAND=held):
        run_id = stack.trigger("rankalpha_scoring", batch)

        def state():
            return stack.tasks("rankalpha_scoring", run_id)["run_scorer"]["state"]

        wait_for("the scorer", lambda: state() in ("running", "deferred"))
        done = stack.run("make", "backup", f"FILE={file}")
        gate.unlink()
        stack.settle()
    assert done.returncode == 0, done.stdout
    assert f"Backed up to {file}" in done.stdout
    stack.trigger("rankalpha_ingestion")  # which the backup does not hold
    stack.settle()
    assert finished(stack) != before
    return file, before, run_id


def test_nobody_else_can_read_it(backed_up):
    assert stat.S_IMODE(backed_up[0].stat().st_mode) == 0o600


def test_a_running_stack_is_not_replaced(stack, backed_up):
    done = stack.run("make", "restore", f"FILE={backed_up[0]}", "YES=1")
    assert "error: the stack runs; stop it with `make down " in done.stdout
    assert len(stack.runs("rankalpha_ingestion")) == 2


def test_an_empty_stack_has_what_was_backed_up(stack, batch, backed_up):
    file, before, run_id = backed_up
    assert stack.run("make", "clean", "YES=1").returncode == 0
    done = stack.run("make", "restore", f"FILE={file}")
    assert done.returncode == 0, done.stdout
    assert "Restored. `make up RANKALPHA_" in done.stdout
    stack.start()
    stack.settle()  # the scorer that ran is run again, and the batch graded again
    after = finished(stack)
    for kind in ("runs", "events"):
        for name, known in before[kind].items():
            assert after[kind][name][: len(known)] == known
    assert before["history"]
    for kind in ("history", "ranking", "page"):
        assert after[kind] == before[kind]
    assert grades(stack)["batch"] == batch
    assert run_id in dict(after["runs"]["rankalpha_scoring"])
    assert stack.api.get(f"variables/{SECRET['key']}")["value"] == SECRET["value"]
    assert len(after["runs"]["rankalpha_ingestion"]) == 1


def test_the_next_batch_is_graded(stack, batch):
    stack.trigger("rankalpha_ingestion")
    stack.settle()
    assert grades(stack)["batch"] > batch
    assert stack.run("make", "health").returncode == 0


def broken(file, target):
    """A whole backup whose database ends in a statement that fails."""
    with tarfile.open(file) as whole, tarfile.open(target, "w:gz") as other:
        for member in whole.getmembers():
            content = whole.extractfile(member).read() if member.isfile() else b""
            if member.name == "database.sql":
                content += b"SELECT * FROM nowhere;\n"
                member.size = len(content)
            other.addfile(member, io.BytesIO(content))
    return target


def answered(stack, answer, *command):
    """Run a command at a terminal, where a person answers; return what it printed."""
    main, terminal = os.openpty()
    os.write(main, f"{answer}\n".encode())
    done = subprocess.run(
        command,
        cwd=stack.checkout,
        env=stack.env,
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=120,
    )
    os.close(main)
    os.close(terminal)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def refused(stack, folder, backed_up):
    """What a stack that is down says of restores that are not done, and what it showed before and after."""
    before, file = finished(stack), backed_up[0]
    assert stack.run("make", "down").returncode == 0
    said = [answered(stack, "n", stack.rankalpha, "restore", str(file))]
    said += [
        stack.run("make", "restore", f"FILE={name}", *yes).stdout
        for name, yes in ((file, ()), (broken(file, folder / "broken.tar.gz"), ("YES=1",)))
    ]
    stack.start()
    return said, before, finished(stack)


def test_what_is_there_is_not_replaced_without_a_yes(refused):
    by_a_person, by_nobody, _ = refused[0]
    assert "Replace them?" in by_a_person
    assert "error: nothing was replaced\n" in by_a_person
    assert "nothing was replaced; YES=1" in by_nobody


def test_a_database_that_cannot_be_restored_leaves_all_as_it_was(refused):
    said, before, after = refused
    assert "psql has failed, and the database is as it was" in said[2]
    assert 'relation "nowhere" does not exist' in said[2]
    assert after == before
