"""What is killed in the fault matrix, always with SIGKILL, and who brings it back: the stack's supervisor."""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from tests.support.daemon import restart

LIVE = "Docker daemon, live-restore"
AIRFLOW = ("scheduler", "triggerer", "api-server", "dag-processor")

COMPONENTS = ("nothing", *AIRFLOW, "worker", "PostgreSQL", LIVE, "Docker daemon", "everything")


def arm(stack, engine, component):
    """Return what kills a component of the running stack; what must be looked up is looked up now."""
    if component == "nothing":
        return lambda: None
    if component in AIRFLOW:
        return psutil.Process(stack.processes()[f"airflow:{component}"]).kill
    if component == "worker":
        scheduler = psutil.Process(stack.processes()["airflow:scheduler"])
        return lambda: _workers(scheduler)
    if component == "PostgreSQL":
        return psutil.Process(postmaster(stack)).kill
    if component == "everything":
        return lambda: _everything(stack)
    return partial(restart, engine.client, live_restore=component == LIVE)


def _workers(scheduler):
    """Kill LocalExecutor's workers and the tasks that they run, but not the stages that these started."""
    session = _session(scheduler)
    _kill([one for one in scheduler.children(recursive=True) if _session(one) == session])


def _everything(stack):
    supervisor = int(Path(stack.state, "supervisord.pid").read_text())
    sessions = (supervisor, postmaster(stack))
    killed = [process for process in psutil.process_iter() if _session(process) in sessions]
    _kill(killed)
    psutil.wait_procs(killed, timeout=30)
    started = stack.stack("up", "--no-batch")
    assert started.returncode == 0, started.stdout


def _session(process):
    with suppress(ProcessLookupError):
        return os.getsid(process.pid)


def _kill(processes):
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def postmaster(stack):
    """Return the id of PostgreSQL's first process."""
    return int(Path(stack.state, "postgres", "postmaster.pid").read_text().split()[0])
