"""Part `up`: how long `make up` takes in a fresh copy of the checkout until its first batch is graded."""

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bench.report import Figure, say
from tests.support.checkout import copy_checkout
from tests.support.embedded_stack import RunningStack

# of the caller's environment: where packages come from; the caches are below HOME
PACKAGES = ("PIP_", "UV_", "SSL_", "HTTP_", "HTTPS_", "NO_PROXY", "http_", "https_", "no_proxy")
# what is printed first in each phase
PHASES = {
    "install": "Installing",
    "database": "Starting PostgreSQL",
    "Airflow": "Starting Airflow",
    "batch": "Following batch",
}


def measure() -> list[Figure]:
    """Run `make up` once; the package cache is warm once the checkout's own .venv was made."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        checkout = copy_checkout(Path(folder, "checkout"))
        packages = {key: value for key, value in os.environ.items() if key.startswith(PACKAGES)}
        stack = RunningStack(Path(folder, "state"), checkout=checkout, **packages)
        try:
            times = _make_up(stack)
        finally:
            stack.run("make", "clean")
    phases = [Figure.of(f"of it: {name}", "s", [end - start]) for (name, start), (_, end) in pairwise(times)]
    return [Figure.of("make up, until graded", "s", [times[-1][1] - times[0][1]]), *phases]


def _make_up(stack: RunningStack) -> list[tuple[str, float]]:
    """Run it; return each phase and when it began, and at last when all had ended."""
    command = ["make", "up", f"PYTHON={sys.executable}"]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    times, lines = [], []
    with subprocess.Popen(command, cwd=stack.checkout, env=stack.env, **output) as process:
        for line in process.stdout:
            lines.append(line)
            if begun := [phase for phase, words in PHASES.items() if words in line]:
                say(line.strip())
                times.append((begun[0], time.monotonic()))
    if process.returncode:
        raise SystemExit("".join(lines))
    return [*times, ("end", time.monotonic())]
