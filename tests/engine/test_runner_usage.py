"""A container's figures and the digest of its image, on a real engine, directly and through the proxy."""

import asyncio
import time

import pytest
from stage_jobs import HOUR, IMAGE, log, wait_for

from rankalpha.follow import Follower
from rankalpha.runners.base import ContainerGone
from rankalpha.runners.docker import DockerRunner
from rankalpha.usage import told

pytestmark = pytest.mark.usefixtures("swept", "way")
# 100 MB and 0.8 s of CPU, in a second and a half where no one else wants a processor
BURN = """
import time
memory = b"x" * 100_000_000
while time.process_time() < 0.8: pass
print("burnt")
time.sleep(0.7)
"""


@pytest.fixture
def burn(jobs):
    return jobs.python(BURN, memory_bytes=256 * 1024**2)


def followed(container):
    """Follow a container as a triggerer does; return what is told of it."""
    follower = Follower(DockerRunner(), container.id, lambda _line: None, log)
    assert asyncio.run(follower.follow(HOUR)) == "ended"
    return told(DockerRunner(), DockerRunner().look(container.id), follower.usage)


def test_a_short_container_is_told_about_right(jobs, burn):
    about = followed(jobs.start(burn))
    assert (about["image"], about["name"]) == (IMAGE, jobs.identity().name)
    one = DockerRunner().look(about["name"])
    assert about["seconds"] == pytest.approx((one.ended - one.started).total_seconds(), abs=0.001)
    assert about["seconds"] >= 1.5
    assert 0.5 < about["cpu_seconds"] < 1.1
    assert 100e6 < about["peak_memory_bytes"] < 140e6
    assert about["memory_limit_bytes"] == 256 * 1024**2


def test_the_figures_count_from_the_start_whoever_samples(jobs, burn):
    """The first follower has died, and what it has seen with it."""
    one = jobs.start(burn)
    wait_for(lambda: DockerRunner().tail(one.id))
    seen = DockerRunner().sample(one.id)
    assert 0.8 <= seen["cpu_seconds"] < 1.1
    assert 100e6 < seen["peak_memory_bytes"] < 140e6


def test_what_has_ended_or_is_gone_has_no_figures(jobs, burn):
    one = jobs.ended(jobs.run("true"))
    assert DockerRunner().sample(one.id) is None
    assert followed(one)["cpu_seconds"] is None
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
    assert time.monotonic() - begin < 2


def test_the_digest_is_the_registrys(jobs, engine):
    """The image was pulled; one that was built here has no digest but its id."""
    known = engine.inspect_image(IMAGE)
    digests = [name.partition("@")[2] for name in known["RepoDigests"]]
    found = DockerRunner().digest(jobs.ended(jobs.run("true")))
    assert found in (digests or [known["Id"]])


def test_an_image_of_this_engine_alone_has_its_id(jobs, engine, session):
    one = jobs.ended(jobs.run("true"))
    made = engine.commit(one.id, repository=session)["Id"]
    try:
        assert DockerRunner().digest(jobs.ended(jobs.run("true", image=session), group=4)) == made
    finally:
        for left in engine.containers(all=True, filters={"ancestor": made}):
            engine.remove_container(left["Id"], force=True)
        engine.remove_image(made, force=True)
