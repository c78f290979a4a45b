"""A container's figures and the digest of its image, on a real engine, directly and through the proxy."""

import asyncio
import threading
import time

import pytest

from rankalpha.containers.follow import Follower
from rankalpha.containers.usage import container_report
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import ContainerGone
from tests.engine.registry import Registry
from tests.engine.stage_jobs import BOTH_WAYS, HOUR, log
from tests.support.engine import labels
from tests.support.needs import IMAGE
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("swept", "way")
# 100 MB and 0.8 s of CPU; then it says how much it really was, and waits until it is asked to stop
BURN = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
memory = b"x" * 100_000_000
while time.process_time() < 0.8: pass
print(time.process_time())
while True: time.sleep(60)
"""


@pytest.fixture
def burn(jobs):
    return jobs.python(BURN, memory_bytes=256 * 1024**2)


def followed(container):
    """Follow a container as a triggerer does, and let it end once its figures are in; return the report."""

    def end():
        wait_for("the figures", lambda: (follower.usage or {}).get("cpu_seconds", 0) >= 0.8)
        DockerRunner().stop(container.id)

    ending = threading.Thread(target=end)
    follower = Follower(DockerRunner(), container.id, lambda _line: ending.start(), log)
    assert asyncio.run(follower.follow(HOUR)) == "ended"
    return container_report(DockerRunner(), DockerRunner().inspect(container.id), follower.usage)


def check(figures, burnt):
    """What was seen is what the stage has used, and little more for the interpreter around it."""
    assert 0.8 <= figures["cpu_seconds"] < burnt + 0.5
    assert 100e6 < figures["peak_memory_bytes"] < 140e6


@BOTH_WAYS
def test_the_report_of_a_container_is_about_right(jobs, burn):
    about = followed(jobs.start(burn))
    assert (about["image"], about["name"]) == (IMAGE, jobs.identity().name)
    one = DockerRunner().inspect(about["name"])
    assert about["seconds"] == pytest.approx((one.ended - one.started).total_seconds(), abs=0.001)
    assert about["memory_limit_bytes"] == 256 * 1024**2
    (burnt,) = DockerRunner().tail(one.id)
    check(about, float(burnt))
    assert about["seconds"] >= 0.8 / 1.5  # of the processors that it may use


def test_the_figures_count_from_the_start_whoever_samples(jobs, burn):
    """The first follower has died, and what it has seen with it."""
    one = jobs.start(burn)
    (burnt,) = wait_for("its figures", lambda: DockerRunner().tail(one.id))
    check(DockerRunner().sample(one.id), float(burnt))


def test_what_has_ended_or_is_gone_has_no_figures(jobs):
    one = jobs.ended(jobs.run("true"))
    assert DockerRunner().sample(one.id) is None
    assert container_report(DockerRunner(), one, None)["cpu_seconds"] is None
    DockerRunner().remove(one.id)
    with pytest.raises(ContainerGone):
        DockerRunner().sample(one.id)


def test_a_sample_is_there_at_once(jobs):
    """Docker's own default takes a second, for it waits for another one."""
    one = jobs.start(jobs.run("sleep 60"))
    DockerRunner().sample(one.id)  # connects
    begin = time.monotonic()
    for _ in range(10):
        assert DockerRunner().sample(one.id)
    assert time.monotonic() - begin < 10


@pytest.fixture
def pulled(engine, session):
    """A registry, whose image was pulled."""
    registry = Registry(session)
    engine.pull(registry.image, "1")
    yield registry
    engine.remove_image(f"{registry.image}:1", force=True)
    registry.close()


@BOTH_WAYS
def test_an_image_is_pinned_by_the_digest_of_its_registry(jobs, engine, pulled):
    image = f"{pulled.image}:1"
    made = DockerRunner().create(jobs.run("true", image=image), jobs.identity().name)
    assert pulled.digest != engine.inspect_image(image)["Id"]
    pinned = DockerRunner().pinned(made)
    assert pinned == f"{image}@{pulled.digest}"
    again = DockerRunner().create(jobs.run("true", image=pinned), jobs.identity(group=4).name)
    assert (again.image_id, DockerRunner().pinned(again)) == (made.image_id, pinned)


@BOTH_WAYS
def test_an_image_of_this_engine_alone_is_pinned_by_its_id_and_runs_by_it(jobs, engine, session):
    one = jobs.ended(jobs.run("true"))
    ((key, value),) = labels().items()
    made = engine.commit(one.id, repository=session, changes=f'LABEL {key}="{value}"')["Id"]
    try:
        pinned = DockerRunner().pinned(jobs.ended(jobs.run("true", image=session), group=4))
        engine.tag(IMAGE, session, force=True)  # the name means another image now
        again = jobs.ended(jobs.run("true", image=pinned), group=5)
        assert (again.status, again.image_id, DockerRunner().pinned(again)) == (0, made, made)
    finally:
        for left in engine.containers(all=True, filters={"ancestor": made}):
            engine.remove_container(left["Id"], force=True, v=True)
        engine.remove_image(made, force=True)
