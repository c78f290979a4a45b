"""The page of the first hour can be followed; `tests/e2e` follows it, and here is how that is judged."""

import pytest

from tests.support.guide import missing, steps

PAGE = "docs/start/first-hour.md"
MORNING, NOON = "2026-11-22T06:00:00", "2026-11-22T12:00:00"
PRINTED = f"""\
Waiting for Airflow
   0.0 s  Following batch {MORNING}
   9.7 s  rankalpha_scoring    run_scorer         success in 1.2 s
The stack is down; `make up RANKALPHA_AIRFLOW_PORT=8081` continues where it stopped.
make: *** [Makefile:61: rerun] Error 1
"""


@pytest.fixture(scope="module")
def page(root):
    return (root / PAGE).read_text()


def test_each_command_has_a_block_of_its_own(page):
    assert len(steps(page)) == page.count("```console") > 10


def test_the_files_that_it_changes_are_put_back(page):
    commands = [step.command.split() for step in steps(page)]
    kept = {name: file for _, file, name in (words for words in commands if words[-1].endswith(".usual"))}
    assert len(kept) == 2
    assert all(["mv", name, file] in commands for name, file in kept.items())


def test_a_command_of_the_page_fails_where_it_says_so(page):
    fails = {step.command.split(" ARGS")[0] for step in steps(page) if step.fails}
    assert fails == {"make rerun", "make health"}


@pytest.mark.parametrize(
    "shown",
    [
        ["Waiting for Airflow", "12.1 s rankalpha_scoring run_scorer success in 0.3 s"],
        [f"0.0 s Following batch {NOON}", "…", "make: *** … Error 1"],
        ["… run_scorer …", "The stack is down; `make up` continues where it stopped."],
    ],
)
def test_numbers_blanks_and_what_is_left_out_may_differ(shown):
    assert missing(shown, PRINTED) is None


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (["Waiting for PostgreSQL"], "Waiting for PostgreSQL"),
        (["… run_scorer …", "Waiting for Airflow"], "Waiting for Airflow"),
        (["… run_scorer"], "… run_scorer"),
        ([f"… Following batch {NOON}"], f"… Following batch {NOON}"),
    ],
)
def test_a_line_that_was_not_printed_or_not_in_this_order_is_found(shown, line):
    assert missing(shown, PRINTED, batches=(MORNING, NOON)) == line
