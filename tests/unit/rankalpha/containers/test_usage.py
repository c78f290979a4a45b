"""What a container has used: how often it is sampled, what samples cannot do to a stage, and what is told."""

import asyncio
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from rankalpha.containers import usage
from rankalpha.containers.follow import Follower
from rankalpha.containers.usage import Sampler, container_report, highest, report_line
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.failures import EngineLost
from rankalpha.runners.process import ProcessRunner
from tests.unit.rankalpha.support.process_helpers import NAME, UNTIL_GO, start

HOUR = timedelta(hours=1)
STARTED = datetime(2025, 11, 20, 6, tzinfo=UTC)
ID = "sha256:" + "0123456789abcdef" * 4
log = logging.getLogger("task")


class Sampled(ProcessRunner):
    """An engine that can be sampled; `answer` gives its figures."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[str] = []

    def sample(self, container_id: str) -> Usage | None:
        self.asked.append(container_id)
        found: Usage | None = self.answer()
        return found

    def pinned(self, container: Container) -> str | None:
        return f"{container.image}@{container.image_id}" if container.image_id else None


def used(cpu: float, memory: int) -> Usage:
    return {"cpu_seconds": cpu, "peak_memory_bytes": memory}


class Pauses:
    """asyncio, whose time does not pass: it has the pauses between samples, after which all is over."""

    def __init__(self, number: int) -> None:
        self.left, self.seconds = number, []
        self.get_running_loop = asyncio.get_running_loop

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.left -= 1
        if self.left <= 0:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


@pytest.fixture
def sampled(monkeypatch) -> Any:
    """Returns a function that samples a number of times; it returns the pauses between, and what was seen."""

    def sample(runner: Sampled, times: int) -> tuple[list[float], Usage | None]:
        pauses, sampler = Pauses(times), Sampler(runner, "0123abcd")
        monkeypatch.setattr(usage, "asyncio", pauses)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(sampler.run())
        assert len(runner.asked) == times
        return pauses.seconds, sampler.usage

    return sample


def followed(runner: Sampled, container: Container) -> Usage | None:
    """Follow a container to its end; return what it was seen to use."""
    follower = Follower(runner, container.id, lambda _line: None, log)
    assert asyncio.run(follower.follow(HOUR)) == "ended"
    return follower.usage


def test_the_highest_figures_count(sampled):
    answers = [used(0.1, 5), None, used(0.3, 9), used(0.4, 7)]
    assert sampled(Sampled(lambda: answers.pop(0)), 4)[1] == used(0.4, 9)
    assert highest() is highest(None, None) is None
    assert highest(None, used(1.0, 2), used(0.5, 3)) == used(1.0, 3)


def test_a_short_container_is_sampled_often_and_a_long_one_seldom(sampled):
    pauses, _ = sampled(Sampled(lambda: None), 30)
    assert pauses[0] == usage.FIRST_PAUSE < 1
    assert pauses == sorted(pauses)
    for sooner, later in pairwise(pauses):
        assert later == pytest.approx(min(sooner * usage.GROWTH, usage.LONGEST_PAUSE))
    growing = [pause for pause in pauses if pause < usage.LONGEST_PAUSE]
    assert 10 < len(growing) < 20
    assert pauses[-1] == usage.LONGEST_PAUSE <= 10
    # a container that ends has at most a quarter of its time without a sample, see rankalpha.containers.usage
    assert all(pause <= sum(pauses[:number]) / 4 + usage.FIRST_PAUSE for number, pause in enumerate(growing))


def test_many_containers_share_the_samples(monkeypatch):
    pauses, runner = Pauses(60), Sampled(lambda: None)
    monkeypatch.setattr(usage, "asyncio", pauses)

    async def sample() -> None:
        await asyncio.gather(*(Sampler(runner, str(n)).run() for n in range(20)), return_exceptions=True)

    asyncio.run(sample())
    assert pauses.seconds[:20] == [pytest.approx(20 * usage.SHARE)] * 20
    assert {*runner.asked} == {str(n) for n in range(20)}
    assert Sampler.at_work == 0


@pytest.mark.parametrize("error", [EngineLost("lost"), KeyError("cpu_stats"), TypeError()])
def test_samples_that_fail_do_not_matter(app_dir, monkeypatch, error):
    monkeypatch.setattr(usage, "FIRST_PAUSE", 0.01)

    def fail() -> None:
        if len(runner.asked) == 2:
            (app_dir / "go").touch()
        raise error

    runner = Sampled(fail)
    assert followed(runner, start(app_dir, UNTIL_GO)) is None
    assert len(runner.asked) > 1


def test_a_sample_that_hangs_delays_no_stage(app_dir):
    followed_to_its_end, ended = threading.Event(), []

    def hang() -> None:
        (app_dir / "go").touch()
        ended.append(followed_to_its_end.wait(60))

    runner = Sampled(hang)
    try:
        assert followed(runner, start(app_dir, UNTIL_GO)) is None
        assert (len(runner.asked), ended) == (1, [])
    finally:
        followed_to_its_end.set()


def test_two_samples_at_a_time_of_however_many_stages(monkeypatch):
    at_once, most_at_once, lock, second = 0, 0, threading.Lock(), threading.Event()

    def slow() -> None:
        nonlocal at_once, most_at_once
        with lock:
            at_once += 1
            most_at_once = max(most_at_once, at_once)
            if at_once == 2:
                second.set()
        assert second.wait(60)
        with lock:
            at_once -= 1

    runner = Sampled(slow)
    monkeypatch.setattr(usage, "asyncio", Pauses(0))  # each is sampled once

    async def many() -> None:
        samplers = (Sampler(runner, str(n)).run() for n in range(200))
        await asyncio.gather(*samplers, return_exceptions=True)

    asyncio.run(many())
    assert most_at_once == 2
    assert len(runner.asked) == 200


def container(**parts: Any) -> Container:
    """A container that ran for 1.25 s."""
    ran = {"started": STARTED, "ended": STARTED + timedelta(seconds=1.25), "status": 0, "image": "demo:1"}
    return Container("id", NAME, {}, running=False, created=STARTED, **{**ran, **parts})


def test_what_is_told_of_a_container():
    about = container_report(
        Sampled(None), container(image_id=ID, memory_limit=2**29), used(0.87654, 123_456_789)
    )
    assert about == {
        "image": "demo:1",
        "digest": ID,
        "pinned": f"demo:1@{ID}",
        "name": NAME,
        "seconds": 1.25,
        "cpu_seconds": 0.877,
        "peak_memory_bytes": 123_456_789,
        "memory_limit_bytes": 2**29,
    }
    said = f"Container {NAME} from image demo:1 (sha256:0123456789ab) ran for 1.2 s: "
    assert report_line(about) == f"{said}0.9 s of CPU, 118 MiB of memory at its peak"


def test_what_nobody_has_seen_is_not_made_up():
    about = container_report(Sampled(None), container(), None)
    figures = ("digest", "pinned", "cpu_seconds", "peak_memory_bytes")
    assert [about[figure] for figure in figures] == [None] * 4
    assert (
        report_line(about)
        == f"Container {NAME} from image demo:1 ran for 1.2 s: its CPU time and memory are not known"
    )


def test_what_an_engine_knows_at_the_end_counts_too():
    about = container_report(Sampled(None), replace(container(), usage=used(2.0, 5)), used(1.0, 3))
    assert (about["cpu_seconds"], about["peak_memory_bytes"]) == (2.0, 5)
