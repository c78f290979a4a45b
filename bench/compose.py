"""Part `compose`: how long the stack of containers takes until a batch is graded, and what it takes idle."""

import tempfile
import time
from pathlib import Path

from docker import APIClient

from bench.report import Figure, say
from tests.support.checkout import copy_checkout
from tests.support.compose import ComposeStack
from tests.support.waiting import wait_for

SETTLE_SECONDS = 10
GRADED = "is graded and the frontend is notified"


def measure() -> list[Figure]:
    """Start the stack once, its images built before; then watch it while it has nothing to do."""
    engine = APIClient()
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        stack = ComposeStack(copy_checkout(Path(folder, "checkout")))
        if taken := stack.taken(engine):
            raise SystemExit(f"a stack is on the Docker engine: {', '.join(taken)}")
        say("Building the images")
        stack.output("build")
        try:
            start = time.monotonic()
            stack.up()
            healthy = time.monotonic() - start
            wait_for("the graded batch", lambda: GRADED in stack.logs("airflow-startup"), seconds=300)
            graded = time.monotonic() - start
            say(f"Healthy after {healthy:.0f} s, graded after {graded:.0f} s")
            stack.settle()
            time.sleep(SETTLE_SECONDS)
            memory = {name: _megabytes(engine, name) for name in stack.ids()}
        finally:
            stack.down()
    return [
        Figure.of("docker compose up, until healthy", "s", [healthy]),
        Figure.of("docker compose up, until graded", "s", [graded]),
        Figure.of("memory of the idle containers", "MB", [sum(memory.values())]),
        Figure.of("largest of them", "MB", [max(memory.values())]),
    ]


def _megabytes(engine: APIClient, container: str) -> float:
    """Return what a container uses, as `docker stats` counts it: without files that could be dropped."""
    memory = engine.stats(container, stream=False, one_shot=True)["memory_stats"]
    files = memory.get("stats", {})
    droppable = files.get("total_inactive_file", files.get("inactive_file", 0))  # control groups v1, v2
    return (memory.get("usage", 0) - droppable) / 1e6
