"""What is killed in the fault matrix, always with SIGKILL, and who brings it back: the stack's supervisor."""

import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

LIVE = "Docker daemon, live-restore"
AIRFLOW = ("scheduler", "triggerer", "api-server", "dag-processor")

COMPONENTS = ("nothing", *AIRFLOW, "worker", "PostgreSQL", LIVE, "Docker daemon", "everything")


def kill(stack, engine, component):
    """Kill one component of a running stack; what does not come back by itself is started again."""
    if component in AIRFLOW:
        _kill([_pid(stack, f"airflow:{component}")], with_children=component != "scheduler")
    elif component == "worker":
        _kill(psutil.Process(_pid(stack, "airflow:scheduler")).children())
    elif component == "PostgreSQL":
        postmaster = Path(stack.state, "postgres", "postmaster.pid").read_text().split()[0]
        _kill([int(postmaster)])
    elif component.startswith("Docker daemon"):
        engine.restart(live_restore=component == LIVE)
    elif component == "everything":
        _everything(stack)
    else:
        assert component == "nothing"


def _everything(stack):
    supervisor = int(Path(stack.state, "supervisord.pid").read_text())
    postmaster = int(Path(stack.state, "postgres", "postmaster.pid").read_text().split()[0])
    _kill([process for process in psutil.process_iter() if _session(process) in (supervisor, postmaster)])
    started = stack.stack("start")
    assert started.returncode == 0, started.stdout


def _session(process):
    with suppress(ProcessLookupError):
        return os.getsid(process.pid)


def _kill(processes, *, with_children=True):
    found = [one if isinstance(one, psutil.Process) else psutil.Process(one) for one in processes]
    family = [*found, *(child for one in found if with_children for child in one.children(recursive=True))]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _pid(stack, program):
    status = stack.stack("status").stdout
    return int(re.search(rf"^{program} .* pid (\d+)", status, re.MULTILINE)[1])
