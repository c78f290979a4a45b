"""Runs stages as the orchestrator does, each a process of its own, forked from one that has loaded it."""

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[4]
BATCH = "2026-11-20T06:00:00"
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")  # and no setting of the machine, nor its proxies
SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """How a stage has ended, what it has printed, and for how many seconds it would have slept each time."""

    returncode: int
    stdout: str
    stderr: str
    slept: list[float]


def environment(**settings: str) -> dict[str, str]:
    """Return a clean environment with the repository importable, and `settings`."""
    inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
    return inherited | {"PYTHONPATH": str(ROOT)} | settings


@cache
def stages() -> subprocess.Popen[str]:
    """Start what forks into stages; it ends with this process."""
    forking = Path(__file__).with_name("forked_stages.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, forking], cwd=ROOT, env=environment(), **pipes)
    atexit.register(process.communicate)  # it ends when it is asked for nothing more
    return process


def run_process(app: str, settings: dict[str, str]) -> Ended:
    """Run apps/<app>/main.py in that environment to its end."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, name) for name in ("out", "err", "slept")}
        for file in files.values():
            file.touch()
        asked = {name: str(file) for name, file in files.items()}
        process = stages()
        print(json.dumps({"app": app, "environment": settings, **asked}), file=process.stdin, flush=True)
        if not select.select([process.stdout], [], [], SECONDS)[0]:
            stages.cache_clear()  # it is in the middle of this one
            process.kill()
            raise AssertionError(f"{app} has not ended within {SECONDS} s: {files['err'].read_text()}")
        status = process.stdout.readline()
        out, err, slept = (file.read_text() for file in files.values())
        return Ended(int(status), out, err, [float(seconds) for seconds in slept.split()])


def run_stage(stage: str, data: Path, batch: str = BATCH, **settings: str) -> Ended:
    """Run a stage on the data root `data`; no other setting than `settings` reaches it."""
    own = {"HOME": str(data), "RANKALPHA_DATA_DIR": str(data), "RANKALPHA_BATCH": batch}
    own |= {"RANKALPHA_RESULT": str(data / f"{stage}.{batch}.json")}
    return run_process(stage, environment(**own) | settings)


def run_sentiment(data: Path, key: str = "2026-11-22T06:00:00", **settings: str) -> Ended:
    """Run the sentiment stage, which prints its result only."""
    return run_process(
        "sentiment", environment(RANKALPHA_BATCH=key, RANKALPHA_DATA_DIR=str(data), **settings)
    )


def result(stage: str, data: Path, batch: str = BATCH) -> dict:
    """Return what the stage wrote to RANKALPHA_RESULT."""
    return json.loads((data / f"{stage}.{batch}.json").read_text())
