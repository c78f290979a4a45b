"""The total of several test runs, from their JUnit XML: the slowest tests, second attempts, and the count."""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

SLOWEST = 10
KINDS = ("failure", "error", "skipped")


def outcome(case):
    """What became of a test."""
    return next((kind for kind in KINDS if case.find(kind) is not None), "passed")


def name(case):
    """The name of a test, with its module."""
    return f"{case.get('classname')}.{case.get('name')}"


def main(files):
    """Print the total of some files, oldest first; return 1 when something failed in its last attempt."""
    suites = [suite for file in files for suite in ET.parse(file).iter("testsuite")]
    cases = [case for suite in suites for case in suite.iter("testcase")]
    attempts = Counter(map(name, cases))
    last = {name(case): case for case in cases}
    print("The slowest tests:")
    for case in sorted(cases, key=lambda case: -float(case.get("time")))[:SLOWEST]:
        print(f"  {float(case.get('time')):6.1f} s  {name(case)}")
    again = [test for test, count in attempts.items() if count > 1]
    print(f"Second attempts: {len(again)}")
    for test in again:
        print(f"  {test}")
    counts = Counter(map(outcome, last.values()))
    shown = ", ".join(f"{counts[kind]} {kind}" for kind in ("passed", *KINDS) if counts[kind])
    seconds = sum(float(suite.get("time")) for suite in suites)
    print(f"{shown} of {len(last)} tests in {seconds:.0f} s ({', '.join(Path(file).stem for file in files)})")
    return int(bool(counts["failure"] + counts["error"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
