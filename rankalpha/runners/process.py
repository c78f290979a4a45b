"""Runs a stage as a process of this machine, for the embedded stack that has no Docker engine.

The command, its environment and its result are those of the container. What a process cannot give: an own
file system and network, and real limits on CPU, memory and processes.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from rankalpha.runners.base import GRACE_SECONDS, TAIL_LINES, Runner, StageInvalid, check_exit, pass_on
from rankalpha.settings import settings
from rankalpha.stage import StageJob


class ProcessRunner(Runner):
    """One process group a stage."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, job: StageJob, log: Any) -> bytes:
        """See Runner.run; standard error is part of the output, as in `docker logs`."""
        with tempfile.TemporaryDirectory(prefix=f"rankalpha-{job.stage.name}-") as folder:
            result = Path(folder, "result.json")
            log.info("Starting %r as a process, without the container's limits", job.command)
            self._process = process = _start(job, result)
            threading.Thread(target=_end_with_leader, args=(process,), daemon=True).start()
            tail: deque[str] = deque(maxlen=TAIL_LINES)
            with process:  # closes its output at the end
                try:
                    for line in process.stdout or ():
                        pass_on(line.rstrip(), log, tail)
                    status = process.wait()
                finally:
                    self.stop()
            check_exit(job, status, tail)
            return result.read_bytes() if result.exists() else b""

    def stop(self) -> None:
        """End the whole process group; a stage's own children must not outlive it."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(job: StageJob, result: Path) -> subprocess.Popen[str]:
    folder = settings().app_dir / Path(job.stage.working_dir).relative_to("/app")
    try:
        return subprocess.Popen(
            shlex.split(job.command),
            cwd=folder,
            env=_environment(job, result),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,  # a group of its own, so that stop() reaches its children
        )
    except (OSError, ValueError) as error:  # no such program or folder, or unbalanced quotes
        raise StageInvalid(
            f"cannot start stage {job.stage.name}: {job.command!r} in {folder}: {error}"
        ) from error


def _end_with_leader(process: "subprocess.Popen[str]") -> None:
    """Kill what the stage has left behind, as the engine does; it would hold the output open for ever."""
    with suppress(ChildProcessError, ProcessLookupError):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not reaped: its group stays its own
        os.killpg(process.pid, signal.SIGKILL)


def _environment(job: StageJob, result: Path) -> dict[str, str]:
    """Return what the image would give, and the stage's own; nothing of Airflow's gets through."""
    bin_dir = str(Path(sys.executable).parent)
    image = {
        "PATH": f"{bin_dir}:{os.defpath}",
        "HOME": str(result.parent),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(settings().app_dir),
        "PYTHONUNBUFFERED": "1",
        # `uv run` is to use this environment as it is, and to look for nothing on the network
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
        "UV_OFFLINE": "1",
        "UV_PYTHON": sys.executable,
    }
    image |= {
        "RANKALPHA_STACK": settings().stack
    }  # a stage that outlives its stack is ended with the leftovers
    data = dict.fromkeys(job.stage.data_dir_keys, str(settings().data_dir))
    return {**image, **data, **job.env, "RANKALPHA_RESULT": str(result)}
