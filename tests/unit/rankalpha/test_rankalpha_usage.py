"""What a container has used: how often it is sampled, what samples cannot do to a stage, and what is told."""

import asyncio
import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from process_helpers import NAME, start

from rankalpha import usage
from rankalpha.follow import Follower
from rankalpha.runners.base import Container, EngineLost, Usage
from rankalpha.runners.process import ProcessRunner
from rankalpha.usage import Sampler, line, most, told

HOUR = timedelta(hours=1)
STARTED = datetime(2025, 11, 20, 6, tzinfo=UTC)
ID = "sha256:" + "0123456789abcdef" * 4
log = logging.getLogger("task")


class Sampled(ProcessRunner):
    """An engine that can be sampled; `answer` gives its figures."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[float] = []

    def sample(self, container_id: str) -> Usage | None:
        self.asked.append(time.monotonic())
        found: Usage | None = self.answer()
        return found

    def digest(self, container: Container) -> str | None:
        return container.image_id or None


def used(cpu: float, memory: int) -> Usage:
    return {"cpu_seconds": cpu, "peak_memory_bytes": memory}


def sampled(runner: Sampled, seconds: float) -> Usage | None:
    """Sample for some seconds."""
    sampler = Sampler(runner, "0123abcd")

    async def sample() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sampler.run(), seconds)

    asyncio.run(sample())
    return sampler.usage


def followed(runner: Sampled, container: Container) -> tuple[float, Usage | None]:
    """Follow a container to its end; return how long that took and what it was seen to use."""
    follower, began = Follower(runner, container.id, lambda _line: None, log), time.monotonic()
    assert asyncio.run(follower.follow(HOUR)) == "ended"
    return time.monotonic() - began, follower.usage


def test_the_highest_figures_count():
    answers = [used(0.1, 5), None, used(0.3, 9), used(0.4, 7)]
    assert sampled(Sampled(lambda: answers.pop(0) if answers else None), 3) == used(0.4, 9)
    assert most() is most(None, None) is None
    assert most(None, used(1.0, 2), used(0.5, 3)) == used(1.0, 3)


def test_a_short_container_is_sampled_often_and_a_long_one_seldom(monkeypatch):
    monkeypatch.setattr(usage, "FIRST_PAUSE", 0.03)
    monkeypatch.setattr(usage, "LONGEST_PAUSE", 0.4)
    monkeypatch.setattr(usage, "SHARE", 0)
    runner = Sampled(lambda: None)
    sampled(runner, 4)
    pauses = [later - sooner for sooner, later in zip(runner.asked, runner.asked[1:], strict=False)]
    assert pauses[0] < 0.2
    assert min(pauses[-3:]) >= 0.39
    assert 10 < len(pauses) < 22  # 12 while they grow, then one in 0.4 s


def test_many_containers_share_the_samples(monkeypatch):
    monkeypatch.setattr(usage, "FIRST_PAUSE", 0)
    monkeypatch.setattr(usage, "SHARE", 0.05)
    runner = Sampled(lambda: None)

    async def sample() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(Sampler(runner, str(n)).run() for n in range(20))), 2.5)

    asyncio.run(sample())
    assert 40 <= len(runner.asked) <= 60  # each at once, after a second, and after two
    assert Sampler.at_work == 0


@pytest.mark.parametrize("error", [EngineLost("lost"), KeyError("cpu_stats"), TypeError()])
def test_samples_that_fail_do_not_matter(app_dir, error):
    def fail() -> None:
        raise error

    runner = Sampled(fail)
    assert followed(runner, start(app_dir, "import time\ntime.sleep(1)"))[1] is None
    assert len(runner.asked) > 1


def test_a_sample_that_hangs_delays_no_stage(app_dir):
    free = threading.Event()
    runner = Sampled(lambda: free.wait(20) and None)
    try:
        took, seen = followed(runner, start(app_dir, "import time\ntime.sleep(0.5)"))
        assert (seen, len(runner.asked)) == (None, 1)
        assert took < 3
    finally:
        free.set()


def test_two_samples_at_a_time_of_however_many_stages():
    at_once, most_at_once, lock = 0, 0, threading.Lock()

    def slow() -> None:
        nonlocal at_once, most_at_once
        with lock:
            at_once += 1
            most_at_once = max(most_at_once, at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1

    runner = Sampled(slow)

    async def many() -> None:
        tasks = [asyncio.create_task(Sampler(runner, str(n)).run()) for n in range(200)]
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()

    asyncio.run(many())
    assert most_at_once == 2
    assert 20 <= len(runner.asked) <= 45


def container(**parts: Any) -> Container:
    """A container that ran for 1.25 s."""
    ran = {"started": STARTED, "ended": STARTED + timedelta(seconds=1.25), "status": 0, "image": "demo:1"}
    return Container("id", NAME, {}, running=False, created=STARTED, **{**ran, **parts})


def test_what_is_told_of_a_container():
    about = told(Sampled(None), container(image_id=ID, memory_limit=2**29), used(0.87654, 123_456_789))
    assert about == {
        "image": "demo:1",
        "digest": ID,
        "name": NAME,
        "seconds": 1.25,
        "cpu_seconds": 0.877,
        "peak_memory_bytes": 123_456_789,
        "memory_limit_bytes": 2**29,
    }
    said = f"Container {NAME} from image demo:1 (sha256:0123456789ab) ran for 1.2 s: "
    assert line(about) == f"{said}0.9 s of CPU, 118 MiB at its peak"


def test_what_nobody_has_seen_is_not_made_up():
    about = told(Sampled(None), container(), None)
    assert (about["digest"], about["cpu_seconds"], about["peak_memory_bytes"]) == (None, None, None)
    assert line(about) == f"Container {NAME} from image demo:1 ran for 1.2 s: nobody saw its CPU and memory"


def test_what_an_engine_knows_at_the_end_counts_too():
    about = told(Sampled(None), replace(container(), usage=used(2.0, 5)), used(1.0, 3))
    assert (about["cpu_seconds"], about["peak_memory_bytes"]) == (2.0, 5)
