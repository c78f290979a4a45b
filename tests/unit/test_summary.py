"""What a test run says in the end, and the total of several; see tests/support."""

from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from tests.support.summary import sentence
from tests.support.total import main

PASSED, SKIPPED = "tests/unit/test_a.py::test_one", "tests/e2e/test_b.py::test_pages"


def report(nodeid, reason=None):
    return SimpleNamespace(nodeid=nodeid, longrepr=("file", 1, f"Skipped: {reason}"))


def test_the_sentence_counts_and_says_what_was_not_run_and_why():
    stats = {"passed": [report(PASSED)] * 1821, "skipped": [report(SKIPPED, "chromium is not installed")] * 2}
    said = sentence(stats, 372)
    assert said.startswith("1,821 passed, 2 skipped in 6 min 12 s. Not run: ")
    assert "2 tests, because chromium is not installed; " in said
    assert "Not run: 1 test, because" in sentence({"skipped": [report(SKIPPED, "no engine")]}, 1)
    assert "the fault matrix (make test-faults)" in said
    assert sentence({}, 1).startswith("nothing was run in 0 min 1 s.")


def test_a_smoke_test_of_the_engine_leaves_out_the_others():
    stats = {"passed": [report("tests/engine/test_smoke.py::test_a_stage")]}
    assert "containers on a Docker engine (make test-docker)" in sentence(stats, 1)


def test_nothing_is_said_to_be_left_out_when_nothing_was():
    folders = ("pages", "together", "running", "alone", "markets", "engine", "compose", "faults", "soak")
    stats = {"passed": [report(f"tests/{folder}/test_a.py::test_one") for folder in folders]}
    assert sentence(stats, 1) == "9 passed in 0 min 1 s. Nothing was left out."


@pytest.fixture
def total(tmp_path, capsys):
    """Print the total of files of test cases: pairs of a name and what became of it."""

    def of(**files):
        for name, cases in files.items():
            suite = ET.Element("testsuite", time="61.5")
            for case, became in cases:
                element = ET.SubElement(suite, "testcase", classname="tests.a", name=case, time="2.5")
                if became == "again":
                    properties = ET.SubElement(element, "properties")
                    for key, value in {"flaky": "Airflow's own race", "attempt": "2"}.items():
                        ET.SubElement(properties, "property", name=key, value=value)
                elif became:
                    ET.SubElement(element, became)
            ET.ElementTree(suite).write(tmp_path / f"{name}.xml")
        status = main([str(tmp_path / f"{name}.xml") for name in files])
        return status, capsys.readouterr().out

    return of


def test_the_total_counts_all_runs(total):
    status, told = total(test=[("a", None), ("b", "skipped")], rest=[("c", None)])
    assert told.endswith("2 passed, 1 skipped of 3 tests in 123 s (test, rest)\n")
    assert "  2.5 s  tests.a.c\n" in told
    assert status == 0


@pytest.mark.parametrize("became", ["failure", "error"])
def test_what_failed_fails_the_total(total, became):
    status, told = total(test=[("a", None)], rest=[("b", became)])
    assert (status, f"1 passed, 1 {became} of 2 tests" in told) == (1, True)


def test_second_attempts_are_named_and_more_than_two_fail_the_total(total):
    again = [("a", "again"), ("b", "again")]
    status, told = total(test=again)
    assert "Second attempts: 2\n  tests.a.a: Airflow's own race\n" in told
    assert status == 0
    assert total(test=again, rest=[("c", "again")])[0] == 1
