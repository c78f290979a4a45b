"""What the pages tell a reader to type can be typed: programs, commands and options exist."""

import re
import shlex

import click
import pytest
from airflow.cli.cli_parser import get_parser

from rankalpha.commands.__main__ import main

MAKE = re.compile(r"""make ([a-z-]+) ARGS=('[^']*'|"(?:[^"\\]|\\.)*"|[^\s`"]+)""")
TYPED = re.compile(
    r"(?:airflow-(?:scheduler|webserver)|\.venv/bin/|`)(?: )?(rankalpha|airflow) ([a-z-]+[^`\n;]*)"
)


@pytest.fixture(scope="module")
def typed(root):
    """Each call of a command of ours or of Airflow's in a page: the program, and its arguments."""
    pages = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    calls = set()
    for text in (page.read_text() for page in pages if page.parent.name != "design"):  # it is about code
        for command, arguments in MAKE.findall(text):
            program = () if command == "airflow" else (command,)
            calls.add(
                ("airflow" if not program else "rankalpha", *program, *shlex.split(shlex.split(arguments)[0]))
            )
        calls |= {(program, *shlex.split(line.split(" | ")[0])) for program, line in TYPED.findall(text)}
    return sorted(call for call in calls if "…" not in call and "--help" not in call)


def test_calls_were_found(typed):
    assert len([call for call in typed if call[0] == "rankalpha"]) > 10
    assert len([call for call in typed if call[0] == "airflow"]) > 3


def test_our_commands_take_what_the_pages_give_them(typed):
    for _, command, *arguments in (call for call in typed if call[0] == "rankalpha"):
        try:
            main.commands[command].make_context(command, list(arguments))
        except (click.UsageError, KeyError) as error:
            pytest.fail(f"rankalpha {command} {shlex.join(arguments)}: {error}")


def test_airflows_commands_take_what_the_pages_give_them(typed, capsys):
    parser = get_parser()
    for _, *arguments in (call for call in typed if call[0] == "airflow"):
        try:
            parser.parse_args(arguments)
        except SystemExit:
            pytest.fail(f"airflow {shlex.join(arguments)}: {capsys.readouterr().err}")


def test_a_command_that_is_not_there_is_found():
    with pytest.raises(click.UsageError):
        main.commands["rerun"].make_context("rerun", ["--batches", "x"])
