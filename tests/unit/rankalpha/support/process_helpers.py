"""What the tests of processes share: a stage from a few lines of Python, its output, and who is alive."""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from rankalpha.runners.container import Container
from rankalpha.runners.line import Line
from rankalpha.runners.process import ProcessRunner
from rankalpha.runners.process_start import pid_of
from rankalpha.settings import settings
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.demo_stage import job

NAME = "rankalpha-demo-2025-11-20T06-00-00-0123abcd"
UNTIL_GO = "\nimport pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.02)\n"


def start(folder: Path, code: str, name: str = NAME, **parts: Any) -> Container:
    """Start `code` as a stage."""
    main = folder / "main.py"
    if not main.exists() or main.read_text() != code:  # which another that starts may just be reading
        main.write_text(code)
    runner, made = ProcessRunner(), job(**parts)
    container = runner.create(made, name)
    runner.start(container, made)
    return container


def ended(container: Container) -> Container:
    """Return the container when it has ended."""
    wait_for(f"the end of {container.name}", lambda: not ProcessRunner().inspect(container.id).running)
    return ProcessRunner().inspect(container.id)


def run(folder: Path, code: str, **parts: Any) -> Container:
    """Run `code` as a stage to its end."""
    return ended(start(folder, code, **parts))


def output(container: Container, since: str = "") -> list[Line]:
    """Return the whole output, waiting for its end."""

    async def read() -> list[Line]:
        return [line async for line in ProcessRunner().lines(container.id, since)]

    return asyncio.run(read())


def let_it_have_run(container: Container, **ago: float) -> None:
    """Let a process have been started so long ago."""
    path = settings().process_dir / container.name / "started.json"
    started = json.loads(path.read_text())
    started["time"] = (datetime.fromisoformat(started["time"]) - timedelta(**ago)).isoformat()
    new = path.with_name("started.new")
    new.write_text(json.dumps(started))
    new.rename(path)


def printed(container: Container) -> list[str]:
    """Return what has been printed so far."""
    return list(ProcessRunner().tail(container.id))


def leader(container: Container) -> psutil.Process:
    """Return the process of the stage itself; its parent is the shim."""
    return psutil.Process(pid_of(ProcessRunner()._folders.of(container.id)))


def alive(pid: int) -> bool:
    """Tell whether there is such a process, and not only its remains."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@contextmanager
def forked(*targets: Callable[[], Any]) -> Iterator[None]:
    """Run each function in a process of its own, which is killed at the end together with its group."""

    def lead(target: Callable[[], Any]) -> None:
        os.setsid()
        target()

    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=lead, args=(target,)) for target in targets]
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
