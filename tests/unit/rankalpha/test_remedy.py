"""Commands in messages work where their reader is: beside the containers, or in the embedded stack."""

import ast
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from rankalpha import remedy

ROOT = Path(__file__).parents[3]
WORDS = ("--batch", "2026-11-22T06:00:00", "--reason", 'it\'s "right": $HOME, `id`, \\ and 50 %')
NAMES_A_COMMAND = re.compile(r"`make\b|\bmake [a-z-]+`|docker compose|scripts/\w+\.py")
# they speak to whoever runs the embedded stack, and to nobody else
OF_ONE_STACK = (
    "rankalpha/remedy.py",
    "rankalpha/stack/embedded/",
    "scripts/audit.py",
    "scripts/reference/",
    "scripts/screenshots.py",
)


@pytest.fixture
def embedded(monkeypatch):
    monkeypatch.setenv("RANKALPHA_STACK", "/home/ann/rankalpha/.rankalpha")


def test_beside_the_containers():
    assert remedy.command("health") == "docker compose exec airflow-scheduler rankalpha health"
    line = shlex.split(remedy.command("publish-anyway", *WORDS))
    assert line == ["docker", "compose", "exec", "airflow-scheduler", "rankalpha", "publish-anyway", *WORDS]
    assert remedy.up() == "docker compose up -d"
    assert remedy.restart("dag-processor") == "docker compose restart airflow-dag-processor"
    assert remedy.logs("dag-processor") == "docker compose logs --tail 100 airflow-dag-processor"


def test_with_celery_what_makes_the_stack_names_both_files(monkeypatch):
    """Without the second one, the scheduler would become another one that runs the tasks itself."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    assert remedy.up() == "docker compose -f docker-compose.yml -f docker-compose.celery.yml up -d"
    assert remedy.command("health") == "docker compose exec airflow-scheduler rankalpha health"


def test_in_the_embedded_stack(embedded):
    assert remedy.command("health") == "make health"
    assert remedy.command("rerun", "--day", "2026-11-20") == 'make rerun ARGS="--day 2026-11-20"'
    assert remedy.up() == "make up"
    assert remedy.restart("triggerer") == "make down up"


def test_the_embedded_stacks_own_ports_and_folder_are_named(embedded, monkeypatch):
    monkeypatch.setenv("RANKALPHA_AIRFLOW_PORT", "8081")
    monkeypatch.setenv("RANKALPHA_STATE_DIR", "/srv/state")
    assert remedy.up() == "make up RANKALPHA_STATE_DIR=/srv/state RANKALPHA_AIRFLOW_PORT=8081"
    assert (
        remedy.command("health") == "make health RANKALPHA_STATE_DIR=/srv/state RANKALPHA_AIRFLOW_PORT=8081"
    )


def test_make_hands_the_arguments_on_as_they_are(embedded, tmp_path):
    """As in our Makefile, where `$(ARGS)` is read by the shell."""
    (tmp_path / "Makefile").write_text("publish-anyway:\n\t@printf '%s\\n' $(ARGS)\n")
    line = remedy.command("publish-anyway", *WORDS)
    env = {"PATH": os.environ["PATH"]}  # without the settings of a make that runs the tests
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == list(WORDS)


@pytest.mark.parametrize(
    ("embedded_stack", "by_compose", "expected"),
    [
        (False, True, "`docker compose up -d` makes it, or `docker volume create v`"),
        (False, False, "`docker volume create v` makes it"),
        (True, True, "`docker volume create v` makes it"),
    ],
)
def test_what_a_stage_lacks_is_made(monkeypatch, embedded_stack, by_compose, expected):
    monkeypatch.setenv("RANKALPHA_STACK", "/state" if embedded_stack else "")
    assert remedy.make_on_engine("volume", "v", by_compose=by_compose) == expected


def texts(path):
    """The texts of a module: its strings, but docstrings only where they are shown to users."""
    tree = ast.parse(path.read_text())
    hidden = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
            first = node.body[0] if node.body else None
            shown = isinstance(node, ast.Module) and path.parts[-2] == "dags"  # in Airflow's UI
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and not shown:
                hidden.add(first.value)
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in hidden
    ]


def test_no_other_text_names_a_command_of_one_stack():
    files = [
        file
        for folder in ("rankalpha", "dags", "datasets", "scripts", "apps")
        for file in (ROOT / folder).rglob("*.py")
    ]
    files += (ROOT / "rankalpha/web/page/static").glob("*.[hj]*")
    names = {file: str(file.relative_to(ROOT)) for file in files}
    assert "rankalpha/alerts/failed_task.py" in names.values()
    found = {
        (name, text)
        for file, name in names.items()
        if not name.startswith(OF_ONE_STACK)
        for text in (texts(file) if file.suffix == ".py" else [file.read_text()])
        if NAMES_A_COMMAND.search(text)
    }
    assert found == set()
