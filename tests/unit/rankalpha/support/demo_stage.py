"""Stage `demo`, its job and its identity, and the batch and result that tests use."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rankalpha.runners.identity import Identity
from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage

KEY = "2025-11-20T06:00:00"
RESULT = {"rows": 3, "symbols": 2, "as_of": "2025-11-19"}
DOCKER = {field.name for field in fields(DockerOptions)}


def stage(**parts: Any) -> Stage:
    """Return a stage `demo`; `parts` are those of a Stage and of its DockerOptions."""
    defaults = {"name": "demo", "image": "demo:1", "command": "python main.py"}
    docker = {key: parts.pop(key) for key in DOCKER & parts.keys()}
    volumes = (Volume("prices_data", "/data/prices"),)
    options = DockerOptions(**{"volumes": volumes, **docker})
    return Stage(**{**defaults, "docker": options, **parts})


def job(
    command: str = "python main.py",
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    **parts: Any,
) -> StageJob:
    """Return a job of stage `demo` as its runner gets it."""
    return StageJob(
        stage=stage(**parts),
        batch=KEY,
        image="demo:1",
        command=command,
        cpus=1.5,
        memory_bytes=512 * 1024 * 1024,
        tmp_bytes=256 * 1024 * 1024,
        pids=64,
        env={"RANKALPHA_BATCH": KEY, **(env or {})},
        labels=labels or {"rankalpha.dag": "rankalpha_demo"},
    )


def identity(**parts: Any) -> Identity:
    """Return the identity of the first try of stage `demo`."""
    task = {"dag": "rankalpha_demo", "task": "run_demo", "run": "manual__1", "map_index": -1}
    return Identity(**{"stage": "demo", "batch": KEY, **task, "group": 3, "try_number": 1, **parts})
