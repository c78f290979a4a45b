"""What a test run says in the end: its figures, second attempts, and one sentence about it all."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rankalpha.texts import count

SAID = pytest.StashKey[list[str]]()
BEGUN = pytest.StashKey[float]()
OUTCOMES = ("passed", "failed", "error", "skipped", "rerun")
SMOKE = "test_smoke.py"  # one test of a folder does not stand for the others
# what each folder of tests needs or does, and the command that runs it, for what was left out of a run
FOLDERS = {
    "together": ("batches of the real services without Airflow", "make test-all"),
    "pages": ("the pages in a browser, in all states", "make test-all"),
    "running": ("stages in a running stack", "make test-all"),
    "alone": ("what changes a running stack as a whole", "make test-all"),
    "markets": ("many markets at once", "make test-all"),
    "engine": ("containers on a Docker engine", "make test-docker"),
    "compose": ("the stacks of containers", "make test-docker"),
    "faults": ("the fault matrix", "make test-faults"),
    "soak": ("what grows in a day and a night of batches", "make test-soak"),
}


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print figures when all tests are over, whichever process they come from."""
    return pytestconfig.stash.setdefault(SAID, []).append


def pytest_configure(config: pytest.Config) -> None:
    """Take the time."""
    config.stash[BEGUN] = time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the reports of a test that may have a second attempt say why it may, and which one it is."""
    if marker := item.get_closest_marker("flaky"):
        attempt = getattr(item, "execution_count", 1)
        item.user_properties = [("flaky", marker.kwargs["reason"]), ("attempt", attempt)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was said in a process of its own."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["said"] = session.config.stash.get(SAID, [])


def pytest_testnodedown(node: Any) -> None:
    """Take what was said in another process; none is handed over by one that died."""
    node.config.stash.setdefault(SAID, []).extend(getattr(node, "workeroutput", {}).get("said", []))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print it."""
    for text in config.stash.get(SAID, []):
        terminalreporter.write_line(f"\n{text}")
    for report in terminalreporter.stats.get("rerun", []):
        reason = dict(report.user_properties).get("flaky")
        terminalreporter.write_line(f"Second attempt: {report.nodeid}\n  {last_line(report)}\n  {reason}")
    took = time.monotonic() - config.stash[BEGUN]
    terminalreporter.write_line(f"\n{sentence(terminalreporter.stats, took)}", bold=True)


def last_line(report: Any) -> str:
    """What went wrong in a test."""
    return report.longreprtext.strip().rpartition("\n")[2]


def sentence(stats: dict[str, list[Any]], seconds: float) -> str:
    """How many tests passed in how long, what was not run, why, and how to run it."""
    counts = {outcome: len(stats[outcome]) for outcome in OUTCOMES if stats.get(outcome)}
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items()) or "nothing was run"
    minutes, rest = divmod(round(seconds), 60)
    found = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in stats.get("skipped", []))
    left = [f"{count(number, 'test')}, because {reason}" for reason, number in found.items()]
    tests = [Path(report.nodeid) for reports in stats.values() for report in reports if is_test(report)]
    ran = {test.parts[1] for test in tests if SMOKE not in test.name}
    left += [f"{what} ({command})" for name, (what, command) in FOLDERS.items() if name not in ran]
    not_run = f"Not run: {'; '.join(left)}." if left else "Nothing was left out."
    return f"{told} in {minutes} min {rest} s. {not_run}"


def is_test(report: Any) -> bool:
    """Tell the reports of tests from what else pytest counts."""
    return "::" in getattr(report, "nodeid", "")
