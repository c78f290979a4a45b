"""The total of several test runs, from their JUnit XML: the slowest tests, second attempts, and the count."""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

SLOWEST = 10
SECOND_ATTEMPTS = 2  # more are a failure of the whole
KINDS = ("failure", "error", "skipped")


def outcome(case):
    """What became of a test."""
    return next((kind for kind in KINDS if case.find(kind) is not None), "passed")


def properties(case):
    """What the test has recorded about itself."""
    return {item.get("name"): item.get("value") for item in case.iter("property")}


def main(files):
    """Print the total of some files; return 1 when something failed, or too much needed a second attempt."""
    suites = [suite for file in files for suite in ET.parse(file).iter("testsuite")]
    cases = [case for suite in suites for case in suite.iter("testcase")]
    seconds = sum(float(suite.get("time")) for suite in suites)
    print("The slowest tests:")
    for case in sorted(cases, key=lambda case: -float(case.get("time")))[:SLOWEST]:
        print(f"  {float(case.get('time')):6.1f} s  {case.get('classname')}.{case.get('name')}")
    again = [(case, properties(case)) for case in cases if int(properties(case).get("attempt", 1)) > 1]
    print(f"Second attempts: {len(again)}")
    for case, recorded in again:
        print(f"  {case.get('classname')}.{case.get('name')}: {recorded['flaky']}")
    counts = Counter(outcome(case) for case in cases)
    shown = ", ".join(f"{counts[kind]} {kind}" for kind in ("passed", *KINDS) if counts[kind])
    print(
        f"{shown} of {len(cases)} tests in {seconds:.0f} s ({', '.join(Path(file).stem for file in files)})"
    )
    return int(bool(counts["failure"] + counts["error"]) or len(again) > SECOND_ATTEMPTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
