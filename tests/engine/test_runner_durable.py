"""One container for each try group of a task, on a real engine, whoever asks and whatever has died."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from rankalpha.containers import durable
from rankalpha.runners.docker import DockerRunner
from tests.engine.stage_jobs import ended, log, output, texts, writes

pytestmark = pytest.mark.usefixtures("swept", "way")
ROUNDS = 20


@pytest.fixture(autouse=True)
def informed(caplog):
    caplog.set_level("INFO", logger=log.name)


def test_tasks_that_ask_at_the_same_time_get_one_container(jobs):
    """The stage has ended before the slower one could start it a second time."""
    barrier = threading.Barrier(2, timeout=60)

    def ask(number):
        who = {"batch": f"2026-11-22T06:00:{number:02}"}
        barrier.wait()
        return jobs.start(jobs.run("echo once", identity=jobs.identity(**who)), **who)

    with ThreadPoolExecutor(2) as tasks:
        for number in range(ROUNDS):
            first, second = tasks.map(ask, [number] * 2)
            assert first.id == second.id
    made = DockerRunner().containers(jobs.identity().of_task)
    assert len(made) == ROUNDS
    for one in made:
        assert texts(output(ended(one).id)) == ["once"]  # of one that starts, the engine may show none yet


def test_a_container_that_runs_is_adopted(jobs, caplog):
    job = jobs.run("sleep 60")
    first = jobs.start(job)
    assert jobs.start(job, try_number=2) == first
    assert first.running
    assert caplog.messages == [
        f"Started container {first.name} from image {job.image}",
        f"Adopting container {first.name}, which runs since {first.started}",
    ]


def test_a_container_that_has_ended_is_collected(jobs, caplog):
    job = jobs.python(f"print('once'); {writes('{}')}")
    first = jobs.ended(job)
    second = jobs.start(job, try_number=2)
    assert second == first
    assert caplog.messages[-1] == (
        f"Adopting container {first.name}, which has ended; it ran since {first.started}"
    )
    assert DockerRunner().result(second.id, "demo") == b"{}"
    assert texts(output(second.id)) == ["once"]


def test_what_was_left_unstarted_is_started_when_its_maker_had_time(jobs, caplog, monkeypatch):
    monkeypatch.setattr(durable, "START_TIME", timedelta(seconds=2))
    job = jobs.run("true")
    made = DockerRunner().create(job, jobs.identity().name)
    one = jobs.start(job, try_number=2)
    assert one.started - made.created > durable.START_TIME
    assert (one.id, ended(one).status) == (made.id, 0)
    assert caplog.messages == [f"Started container {made.name}, which had been created and not started"]


def test_a_slow_maker_starts_its_container_itself(jobs, caplog, monkeypatch):
    monkeypatch.setattr(durable, "START_TIME", timedelta(hours=1))  # nobody waits for all of it
    job = jobs.run("echo once")
    made = DockerRunner().create(job, jobs.identity().name)
    maker = threading.Timer(0.5, DockerRunner().start, (made, job))
    maker.start()
    one = jobs.start(job, try_number=2)
    maker.join()
    assert one.id == made.id
    assert texts(output(one.id)) == ["once"]
    assert caplog.messages[0].startswith(f"Adopting container {made.name}")


def test_clearing_a_task_begins_anew_and_stops_what_runs(jobs, caplog):
    def start(**who):
        return jobs.start(jobs.run("sleep 60", identity=jobs.identity(**who)), **who)

    old, other = start(), start(task="another")
    new = start(group=7, try_number=5)
    assert new.id != old.id
    assert [DockerRunner().inspect(one.id).running for one in (old, other, new)] == [False, True, True]
    assert f"Stopping container {old.name}, whose task was cleared" in caplog.messages


def test_what_was_set_aside_does_not_count(jobs):
    job = jobs.run("echo one")
    first = jobs.ended(job)
    DockerRunner().set_aside(first.id, 1)
    second = jobs.start(job, try_number=2)
    assert second.id != first.id
    aside = DockerRunner().find(f"{first.name}-try1")
    assert aside.id == first.id
    DockerRunner().set_aside(aside.id, 2)  # a second time it keeps its name
    assert DockerRunner().inspect(first.id).name == aside.name
    assert texts(output(first.id)) == ["one"]  # for inspection
