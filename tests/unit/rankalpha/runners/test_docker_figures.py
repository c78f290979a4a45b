"""What Docker says of a container's use and image; tests/engine has a real engine."""

from dataclasses import replace
from typing import Any

import pytest
import requests

from rankalpha.runners import docker
from rankalpha.runners.docker import SAMPLE_SECONDS, DockerRunner
from rankalpha.runners.docker_engine import container_of
from rankalpha.runners.docker_figures import usage_of
from rankalpha.runners.failures import EngineLost
from tests.unit.rankalpha.support.demo_stage import job
from tests.unit.rankalpha.support.fake_docker import ID, IMAGE_ID, Client, found, refused

ONE, TWO = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """The client that the runner uses."""
    made = Client()
    monkeypatch.setattr(docker, "client_of", lambda *_: made)
    return made


def stats(cpu: int, **memory: int) -> dict[str, Any]:
    """Return the parts of Docker's stats that count."""
    return {"cpu_stats": {"cpu_usage": {"total_usage": cpu}}, "memory_stats": memory}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (stats(1_500_000_000, usage=50, max_usage=70, limit=100), (1.5, 70)),  # cgroup v1
        (stats(250_000_000, usage=50, limit=100), (0.25, 50)),  # v2
        (stats(0), None),  # it has ended
        (stats(250_000_000), None),  # a machine that does not count memory
    ],
)
def test_stats_are_read_of_either_cgroup(said, expected):
    usage = usage_of(said)
    assert (usage and (usage["cpu_seconds"], usage["peak_memory_bytes"])) == expected


def test_a_sample_is_one_request(client):
    client.used = stats(1_000_000_000, usage=5)
    assert DockerRunner().sample(ID) == {"cpu_seconds": 1.0, "peak_memory_bytes": 5}
    assert client.calls == [f"stats {ID}"]


def test_a_sample_is_not_waited_for_like_other_answers(client, monkeypatch):
    asked = []
    client.used = stats(0)
    monkeypatch.setattr(docker, "client_of", lambda _url, *seconds: asked.append(seconds) or client)
    DockerRunner().sample(ID)
    DockerRunner().inspect(ID)
    assert asked == [(SAMPLE_SECONDS,), ()]


@pytest.mark.parametrize(
    ("known", "image", "expected"),
    [
        (None, "demo:1", IMAGE_ID),
        ([], "demo:1", IMAGE_ID),
        ([f"demo@{ONE}"], "demo:1", f"demo:1@{ONE}"),
        (
            [f"other@{ONE}", f"localhost:5000/demo@{TWO}"],
            "localhost:5000/demo:1",
            f"localhost:5000/demo:1@{TWO}",
        ),
        ([f"other@{ONE}", f"demo@{TWO}"], f"demo:1@{TWO}", f"demo:1@{TWO}"),
        ([f"other@{ONE}"], "demo:1", f"other@{ONE}"),  # by a name of this engine alone
        ([f"other@{ONE}"], "sha256:0123", f"other@{ONE}"),  # started by its id
    ],
)
def test_an_image_is_pinned_by_the_registrys_digest_or_else_its_id(client, known, image, expected):
    client.repo_digests = known
    container = replace(container_of(found()), image=image)
    assert DockerRunner().pinned(container) == expected
    assert client.calls == [f"image {IMAGE_ID}"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_image_that_cannot_be_looked_at_has_its_id(client, status):
    client.fails[f"image {IMAGE_ID}"] = refused("no", status)
    container = container_of(found())
    assert (container.image, container.image_id, container.memory_limit) == ("demo:1", IMAGE_ID, 2**29)
    assert DockerRunner().pinned(container) == IMAGE_ID


def test_an_engine_that_is_lost_meanwhile_is_waited_for_as_ever(client):
    client.fails[f"image {IMAGE_ID}"] = requests.ConnectionError("Connection aborted.")
    with pytest.raises(EngineLost, match="while inspecting an image"):
        DockerRunner().pinned(container_of(found()))


def test_what_a_job_would_run_is_the_image_that_its_name_means_now(client):
    assert DockerRunner().fingerprint(job()) == IMAGE_ID
    client.fails["image demo:1"] = refused("No such image: demo:1", 404)
    assert DockerRunner().fingerprint(job()) is None
