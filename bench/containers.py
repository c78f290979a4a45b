"""Part `containers`: what a stage's container costs more than a plain `docker run`; needs a Docker engine."""

import asyncio
import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from docker import APIClient

from bench.report import Figure, say
from rankalpha.containers.durable import check_exit, find_or_start
from rankalpha.containers.follow import Follower
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.identity import Identity
from rankalpha.settings import settings
from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage
from tests.support.docker_proxy import RunningProxy

RUNS = 10
BATCH = "2026-11-22T06:00:00"
NAME = "rankalpha-bench"  # of the network and the volume
IMAGES = ("rankalpha_airflow", "rankalpha_api")
LIMITS = {"cpus": "1.0", "memory": "256m", "pids-limit": "128"}
LIMITS |= {"cap-drop": "ALL", "security-opt": "no-new-privileges"}
STAGE = Stage(
    name="bench",
    image="python:3.13-slim-trixie",
    command="true",
    docker=DockerOptions(network=NAME, volumes=(Volume(NAME, "/data/bench"),)),
)


def measure() -> list[Figure]:
    """Run the same container by `docker run` and by the runner, in turns, without and with the proxy."""
    logging.getLogger("bench").setLevel(logging.WARNING)
    with _engine() as engine, tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        proxy = RunningProxy("/var/run/docker.sock", Path(folder, "proxy.log"), [STAGE])
        try:
            plain, direct, proxied = zip(*(_round(proxy.url) for _ in range(RUNS + 1)), strict=True)
        finally:
            proxy.stop()
        sizes = {name: engine.inspect_image(name)["Size"] / 1e6 for name in IMAGES}
    return [
        Figure.of(
            "stage that does nothing: docker run", "s", plain[1:]
        ),  # the first pays for imports and caches
        Figure.of("stage that does nothing: runner", "s", direct[1:]),
        Figure.of("stage that does nothing: runner through the proxy", "s", proxied[1:]),
        Figure.of("runner against docker run", "ratio", _ratios(direct, plain)),
        Figure.of("runner through the proxy against docker run", "ratio", _ratios(proxied, plain)),
        *(Figure.of(f"size of the image {name}", "MB", [size]) for name, size in sizes.items()),
    ]


def _round(proxy: str) -> tuple[float, ...]:
    """Return the seconds of one run by each way."""
    ways = (_docker_run, lambda: _runner("unix:///var/run/docker.sock"), lambda: _runner(proxy))
    took = tuple(_seconds(way) for way in ways)
    say(
        "  ".join(
            f"{name} {seconds:.2f} s"
            for name, seconds in zip(("docker", "runner", "proxy"), took, strict=True)
        )
    )
    return took


def _seconds(run: Callable[[], None]) -> float:
    start = time.monotonic()
    run()
    return time.monotonic() - start


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(ours[1:], theirs[1:], strict=True)]


@contextmanager
def _engine() -> Iterator[APIClient]:
    """Make the network and the volume of the stage for a while."""
    engine = APIClient()
    engine.create_network(NAME)
    engine.create_volume(NAME)
    try:
        yield engine
    finally:
        engine.remove_volume(NAME)
        engine.remove_network(NAME)


def _docker_run() -> None:
    limits = [f"--{name}={value}" for name, value in LIMITS.items()]
    place = ["--network", NAME, "--volume", f"{NAME}:/data/bench", "--workdir", "/app"]
    subprocess.run(
        ["docker", "run", "--rm", "--init", *limits, *place, STAGE.image, STAGE.command], check=True
    )


def _runner(url: str) -> None:
    """Run the stage as its operator does, from finding no container to removing it."""
    os.environ["RANKALPHA_DOCKER_URL"] = url
    settings.cache_clear()
    identity = Identity("bench", BATCH, "bench", "run_bench", "bench", -1, group=0, try_number=1)
    job = StageJob(
        stage=STAGE,
        batch=BATCH,
        image=STAGE.image,
        command=STAGE.command,
        nano_cpus=10**9,
        memory_bytes=256 * 1024**2,
        tmp_bytes=64 * 1024**2,
        pids=128,
        env={},
        labels=identity.labels,
    )
    engine, log = DockerRunner(), logging.getLogger("bench")
    container = find_or_start(engine, job, identity, log)
    asyncio.run(Follower(engine, container.id, lambda _: None, log).follow(timedelta(minutes=1)))
    check_exit(STAGE, engine.inspect(container.id), engine.tail(container.id))
    engine.result(container.id, STAGE.name)
    engine.remove(container.id)
