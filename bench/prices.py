"""Part `prices`: the ingestion stage on a folder of 5,000 CSV files of ten years, as processes of its own.

The first load, the next day (each file has one more line), and a day that brings nothing. Then what versions
cost: a reader compares all of one with what was published, their disk, and a sweep.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from apps.common.batches import Keep, sweep
from apps.common.versions import Version
from bench.report import Figure, say
from tests.support.checkout import ROOT

SYMBOLS, RUNS = 5_000, 2
LAST = date(2026, 11, 19)
WEEKEND, DAYS = 5, 2520
STEPS = ("first load", "one more day", "nothing new")
VERSIONS = 1_000  # that a sweep removes


def measure() -> list[Figure]:
    """Ingest the three batches RUNS times from the beginning."""
    measured: dict[str, list[tuple[float, float, float]]] = {step: [] for step in STEPS}
    verified, disks, swept = [], [], []
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        for number in range(RUNS):
            say(f"Ingesting {SYMBOLS} symbols of {DAYS} days, {number + 1} of {RUNS}")
            data = Path(folder, str(number))
            csv = data / "prices" / "csv"
            _write(csv)
            before: list[Version] = []
            for day, step in enumerate(STEPS, start=20):
                if step == STEPS[1]:
                    _add(csv, date(2026, 11, 20))
                used, version = _ingest(data, f"2026-11-{day}T06:00:00", before)
                measured[step].append(used)
                before.insert(0, version)
            verified.append(_seconds(lambda version=before[0]: _verify(version)))  # type: ignore[misc]
            disks.append(_share_of_prices(before[1].folder))
            swept.append(_sweep(data / "swept" / "prices"))
    units = ("wall", "s"), ("CPU", "s"), ("peak memory", "MB")
    stages = [
        Figure.of(f"{step}, {name}", unit, [run[i] for run in runs])
        for step, runs in measured.items()
        for i, (name, unit) in enumerate(units)
    ]
    return [
        *stages,
        Figure.of("a reader verifies a version", "s", verified),
        Figure.of("disk of a version, its prices.parquet being 1", "times", disks),
        Figure.of(f"{VERSIONS} versions are swept", "s", swept),
    ]


def _write(folder: Path) -> None:
    """Write a random walk for each symbol."""
    days = [day for back in range(2 * DAYS) if (day := LAST - timedelta(days=back)).weekday() < WEEKEND][
        :DAYS
    ]
    dates = [day.isoformat() for day in reversed(days)]
    folder.mkdir(parents=True)
    for number in range(SYMBOLS):
        chance, close, lines = random.Random(number), 100.0, ["date,close"]
        for day in dates:
            close *= 1 + chance.uniform(-0.02, 0.0203)
            lines.append(f"{day},{close:.4f}")
        _settle(folder / f"S{number:04}.csv", "\n".join(lines) + "\n", "w")


def _add(folder: Path, day: date) -> None:
    for path in folder.iterdir():
        _settle(path, f"{day},100.0\n", "a")


def _settle(path: Path, text: str, mode: str) -> None:
    """Write a file as if a minute ago: what was written just now is read again the next time."""
    with path.open(mode) as file:
        file.write(text)
    os.utime(path, (time.time() - 60 + len(mode),) * 2)


def _ingest(data: Path, batch: str, before: list[Version]) -> tuple[tuple[float, float, float], Version]:
    """Return wall seconds, CPU seconds and peak MB of the stage, and the version that it has written."""
    result = data / f"{batch}.json"
    own = {"RANKALPHA_BATCH": batch, "RANKALPHA_DATA_DIR": str(data), "RANKALPHA_RESULT": str(result)}
    own |= {"RANKALPHA_OUTPUT": str(data / "prices" / batch / "ingestion-0a1b2c3d-1")}
    earlier = [(str(version.folder), version.sha256) for version in before]
    own |= {"RANKALPHA_EARLIER_PRICES": json.dumps(earlier)} if before else {}
    own |= {"INGESTION_SOURCE": "csv", "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(data)}
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "apps/ingestion/main.py"], cwd=ROOT, env=own)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or (report := json.loads(result.read_text()))["symbols"] != SYMBOLS:
        raise RuntimeError(f"the stage has failed with {process.returncode}, see above")
    version = Version(data / report["version"]["path"], report["version"]["sha256"])
    return (wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), version


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _verify(version: Version) -> None:
    if problems := version.problems():
        raise RuntimeError(problems[0])


def _share_of_prices(folder: Path) -> float:
    """Return how much more than prices.parquet, which there was before, a version holds."""
    everything = sum(path.stat().st_size for path in folder.iterdir())
    return everything / (folder / "prices.parquet").stat().st_size


def _sweep(volume: Path) -> float:
    """Return the seconds to sweep versions of 0.1 MB that nobody has published."""
    for number in range(VERSIONS):
        folder = volume / f"2026-11-{number % 30 + 1:02}T06:00:00" / f"ingestion-0a1b2c3d-{number}"
        folder.mkdir(parents=True)
        (folder / "prices.parquet").write_bytes(bytes(100_000))
        (folder / "manifest.json").write_text("{}")
        os.utime(folder, (0, 0))
    keep = Keep(versions=frozenset({"prices/2026-11-01T06:00:00/ingestion-0a1b2c3d-x"}))
    return _seconds(lambda: sweep(volume, keep))
