"""Measure RankAlpha's orchestration: `bench/run.py` measures all parts, `bench/run.py parse up` only those.

Prints a table and writes bench/results/latest.json, where parts that were not measured keep their figures.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `bench` and the tests' support

from bench import compose, containers, in_flight, latency, parse, up
from bench.report import save, say, show

PARTS = {
    part.__name__.removeprefix("bench."): part.measure
    for part in (parse, latency, up, containers, in_flight, compose)
}


def main() -> int:
    """Measure the parts of the arguments, all when there are none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {', '.join(PARTS)}; none means all")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    measured = {}
    for part in chosen:
        say(f"Measuring {part}")
        measured[part] = PARTS[part]()
        save(part, measured[part])
    show(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
