"""Measure RankAlpha's orchestration: `bench/run.py` measures all parts, `bench/run.py parse up` only those.

Prints a table, writes bench/results/latest.json, where parts that were not measured keep their figures, and
draws the charts again; `bench/run.py charts` does only the last.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for `bench` and the tests' support

from bench import (
    charts,
    compose,
    containers,
    disk,
    evaluation,
    history,
    in_flight,
    markets,
    overhead,
    parse,
    prices,
    ranking_page,
    reuse,
    up,
    variants,
)
from bench.report import last, minutes, save, say, show
from rankalpha.texts import count
from tests.support.needs import lacking_docker

PARTS = {
    part.__name__.removeprefix("bench."): part.measure
    for part in (
        parse,
        prices,
        evaluation,
        disk,
        history,
        ranking_page,
        reuse,
        markets,
        variants,
        overhead,
        in_flight,
        containers,
        up,
        compose,
    )
}
NEED_DOCKER = ("overhead", "in_flight", "containers", "compose")
DRAW = "charts"


def main() -> int:
    """Measure the parts of the arguments, all when there are none."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = ", ".join((*PARTS, DRAW))
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {names}; none means all")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - {*PARTS, DRAW}:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # not without removing what runs
    _measure([part for part in chosen if part != DRAW])
    charts.draw()
    return 0


def _measure(parts: list[str]) -> None:
    """Measure, save and show the parts; the last durations give the time that remains."""
    if lacks := lacking_docker() if set(parts) & set(NEED_DOCKER) else "":
        skipped = [part for part in parts if part in NEED_DOCKER]
        parts = [part for part in parts if part not in NEED_DOCKER]
        say(f"Skipping {', '.join(skipped)}: {lacks}")
    took = {part: saved.get("took", 0) for part, saved in last().items()}
    measured, seconds = {}, {}
    for number, part in enumerate(parts):
        left = sum(took.get(later, 0) for later in parts[number:])
        say(f"Measuring {part}, {number + 1} of {len(parts)}; about {minutes(left)} remain")
        start = time.monotonic()
        measured[part] = PARTS[part]()
        seconds[part] = time.monotonic() - start
        save(part, measured[part], seconds[part])
        say(f"Measured {part} in {minutes(seconds[part])}")
    if measured:
        show(measured)
        say(f"Measured {count(len(measured), 'part')} in {minutes(sum(seconds.values()))}")


if __name__ == "__main__":
    sys.exit(main())
