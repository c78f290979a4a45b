"""Part `prices`: the ingestion stage on a folder of 5,000 CSV files of ten years, as processes of its own.

The first load, the next day (each file has one more line), and a day that brings nothing.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from bench.report import Figure, say
from tests.support.stack import ROOT

SYMBOLS, RUNS = 5_000, 3
LAST = date(2026, 11, 19)
WEEKEND, DAYS = 5, 2520
STEPS = ("first load", "one more day", "nothing new")


def measure() -> list[Figure]:
    """Ingest the three batches RUNS times from the beginning."""
    measured: dict[str, list[tuple[float, float, float]]] = {step: [] for step in STEPS}
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        for number in range(RUNS):
            say(f"Ingesting {SYMBOLS} symbols of {DAYS} days, {number + 1} of {RUNS}")
            data = Path(folder, str(number))
            csv = data / "prices" / "csv"
            _write(csv)
            for day, step in enumerate(STEPS, start=20):
                if step == STEPS[1]:
                    _add(csv, date(2026, 11, 20))
                measured[step].append(_ingest(data, f"2026-11-{day}T06:00:00"))
    units = ("wall", "s"), ("CPU", "s"), ("peak memory", "MB")
    return [
        Figure.of(f"{step}, {name}", unit, [run[i] for run in runs])
        for step, runs in measured.items()
        for i, (name, unit) in enumerate(units)
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


def _ingest(data: Path, batch: str) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak MB of the stage."""
    result = data / f"{batch}.json"
    own = {"RANKALPHA_BATCH": batch, "RANKALPHA_DATA_DIR": str(data), "RANKALPHA_RESULT": str(result)}
    own |= {"INGESTION_SOURCE": "csv", "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(data)}
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "apps/ingestion/main.py"], cwd=ROOT, env=own)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or json.loads(result.read_text())["symbols"] != SYMBOLS:
        raise RuntimeError(f"the stage has failed with {process.returncode}, see above")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
