"""The docker runner against an engine that records what it is asked; tests/engine has a real one."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import InvalidArgument
from urllib3.exceptions import ProtocolError

from rankalpha.runners import docker
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import ContainerGone, EngineLost, NameTaken, StageFailed, StageInvalid
from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME
from rankalpha.stages.docker import Volume
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.demo_stage import KEY, job
from tests.unit.rankalpha.support.fake_docker import ID, Client, refused

NAME = "rankalpha-demo-2025-11-20T06-00-00-0123abcd"
CHECKS = ["image demo:1", "network rankalpha_net", "volume prices_data"]
WHERE = r"RANKALPHA_DOCKER_URL=unix:///var/run/docker\.sock"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """The client that the runner uses."""
    made = Client()
    monkeypatch.setattr(docker, "client_of", lambda *_: made)
    return made


def create(**parts: Any) -> None:
    DockerRunner().create(job(**parts), NAME)


def start() -> None:
    runner, made = DockerRunner(), job()
    runner.start(runner.inspect(ID), made)


def test_a_container_is_made_when_all_is_there_and_not_started(client):
    assert DockerRunner().create(job(), NAME).id == ID
    assert client.calls == [*CHECKS, f"create {NAME}", f"inspect {ID}"]


def test_limits_are_real_limits(client):
    create()
    host = client.created["HostConfig"]
    assert host["NanoCpus"] == 1_500_000_000
    assert host["Memory"] == host["MemorySwap"] == 512 * 1024 * 1024
    assert host["PidsLimit"] == 64
    assert host["Init"] is True
    assert "CpuShares" not in host
    assert not host.get("Privileged")


def test_the_engine_keeps_a_bounded_log(client):
    create()
    options = {"max-file": "2", "max-size": "50m"}
    assert client.created["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": options}
    assert DockerRunner().output_location("0123456789abcdef") == "docker logs 0123456789ab (its last 100 MB)"


def test_a_stage_has_no_capability_and_can_gain_none(client):
    create()
    host = client.created["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert not host.get("CapAdd")


def test_the_capabilities_that_a_stage_declares_are_added(client):
    create(capabilities=("CHOWN", "DAC_OVERRIDE"))
    host = client.created["HostConfig"]
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], ["CHOWN", "DAC_OVERRIDE"])
    assert host["SecurityOpt"] == ["no-new-privileges"]


def test_a_stage_writes_to_a_bounded_tmp_and_not_to_its_image(client):
    create()
    host = client.created["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["Tmpfs"] == {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={256 * 1024**2}"}


def test_a_stage_that_declares_it_writes_to_its_image(client):
    create(read_only=False)
    host = client.created["HostConfig"]
    assert not host.get("ReadonlyRootfs")
    assert not host.get("Tmpfs")


def test_the_place_of_the_result_is_made_before_the_start(client):
    start()
    assert client.calls == [f"inspect {ID}", f"put_archive {ID}", f"start {ID}"]
    with tarfile.open(fileobj=io.BytesIO(client.put)) as archive:
        (folder,) = archive.getmembers()
    assert (folder.isdir(), folder.mode, folder.uid) == (True, 0o1777, 0)
    assert f"{RESULT_VOLUME}/{folder.name}" == str(Path(RESULT_PATH).parent)


def test_network_volumes_command_and_folder_are_the_stages(client):
    volumes = (Volume("prices_data", "/data/prices"), Volume("company_reports", "/data/company_reports"))
    own = {"network": "some_net", "working_dir": "/app/apps/demo"}
    create(volumes=volumes, command="uv run 'my main.py'", labels={"rankalpha.dag": "d"}, **own)
    host = client.created["HostConfig"]
    assert host["NetworkMode"] == "some_net"
    mounts = [
        (mount["Type"], mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in host["Mounts"]
    ]
    assert mounts == [
        ("volume", "prices_data", "/data/prices", False),
        ("volume", "company_reports", "/data/company_reports", False),
        ("volume", None, RESULT_VOLUME, False),
    ]
    assert client.created["Image"] == "demo:1"
    assert client.created["Cmd"] == ["uv", "run", "my main.py"]
    assert client.created["WorkingDir"] == "/app/apps/demo"
    assert client.created["Labels"] == {"rankalpha.dag": "d"}


def test_the_environment_is_that_of_the_stage_alone(client, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    create(env={"DEPTH": "3"}, data_dir_keys=("RANKALPHA_DATA_DIR", "DEMO_DATA_DIR"))
    assert sorted(client.created["Env"]) == [
        "DEMO_DATA_DIR=/data",
        "DEPTH=3",
        f"RANKALPHA_BATCH={KEY}",
        "RANKALPHA_DATA_DIR=/data",
        f"RANKALPHA_RESULT={RESULT_PATH}",
    ]


def test_all_that_is_missing_is_named_at_once(client):
    client.fails = dict.fromkeys(CHECKS, refused("no such thing", 404))
    with pytest.raises(StageInvalid) as caught:
        create()
    network = "rankalpha_net"
    assert str(caught.value).splitlines() == [
        "stage demo cannot start, the Docker engine lacks:",
        "  image 'demo:1': build or pull it on this engine, or set DEMO_IMAGE",
        f"  network '{network}': `docker compose up -d` makes it, or `docker network create {network}`",
        "  volume 'prices_data': `docker compose up -d` makes it, or `docker volume create prices_data`",
    ]
    assert client.calls == CHECKS


def test_a_name_that_is_taken_is_told_apart(client):
    client.fails[f"create {NAME}"] = refused("Conflict. The container name is already in use", 409)
    with pytest.raises(NameTaken, match=f"container {NAME} exists already"):
        create()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, 'runc create failed: exec: "python": executable file not found in $PATH: unknown'),
        (400, "the working directory 'app' is invalid, it needs to be an absolute path"),
        (500, "Cannot mkdir: /app is not a directory"),
    ],
)
def test_a_command_or_folder_that_docker_cannot_use_does_not_heal(client, status, said):
    client.fails[f"start {ID}"] = refused(said, status)
    with pytest.raises(StageInvalid) as caught:
        start()
    assert str(caught.value) == f"stage demo: DEMO_COMMAND='python main.py' cannot be run in /app: {said}"
    assert client.calls[-2:] == [f"start {ID}", f"remove {ID}"]


@pytest.mark.parametrize("status", [400, 403])
def test_what_docker_or_the_proxy_refuses_does_not_heal(client, status):
    client.fails[f"create {NAME}"] = refused("the proxy refuses it", status)
    given = (
        "DEMO_IMAGE='demo:1', DEMO_COMMAND='python main.py', DEMO_CPUS=1.5, DEMO_MEM=536870912, DEMO_PIDS=64"
    )
    said = f"Docker refused stage demo: the proxy refuses it; its settings are {given}"
    with pytest.raises(StageInvalid, match=f"^{said}$"):
        create()


@pytest.mark.parametrize("error", [ValueError("no such form"), InvalidArgument("no such form")])
def test_what_dockers_client_refuses_does_not_heal(client, error):
    client.fails[f"create {NAME}"] = error
    with pytest.raises(
        StageInvalid, match="Docker cannot run stage demo: no such form; correct one of DEMO_IM"
    ):
        create()


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (refused("driver failed", 409), StageFailed, "Docker refused starting stage demo: driver failed"),
        (refused("driver failed", 500), StageFailed, "Docker refused starting stage demo: driver failed"),
        (refused("no such container", 404), ContainerGone, "the container no longer exists"),
        (refused("no answer from the engine", 502), EngineLost, f"lost the Docker engine at {WHERE}"),
        (
            requests.ConnectionError("Connection aborted."),
            EngineLost,
            f"at {WHERE} while starting stage demo",
        ),
        (requests.ReadTimeout("Read timed out."), EngineLost, "Read timed out"),
        (ProtocolError("Connection broken"), EngineLost, "Connection broken"),
        (BrokenPipeError(), EngineLost, "BrokenPipeError"),
    ],
)
def test_what_may_heal_leaves_the_container(client, error, kind, text):
    client.fails[f"start {ID}"] = error
    with pytest.raises(StageFailed, match=text) as caught:
        start()
    assert type(caught.value) is kind
    assert client.calls[-1] == f"start {ID}"


ASKING: dict[str, Callable[[], Any]] = {
    "inspect one": lambda: DockerRunner().find("one"),
    "inspect id": lambda: DockerRunner().inspect("id"),
    "get_archive id": lambda: DockerRunner().result("id", "demo"),
    "stop id": lambda: DockerRunner().stop("id"),
    "remove id": lambda: DockerRunner().remove("id"),
}


@pytest.mark.parametrize("call", ASKING)
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectionError("Connection aborted."), EngineLost),
        (refused("no answer from the engine", 503), EngineLost),
        (refused("it cannot", 500), StageFailed),
    ],
)
def test_an_error_of_the_engine_is_told_from_an_engine_that_is_lost(client, call, error, kind):
    client.fails[call] = error
    with pytest.raises(StageFailed, match=r"Connection aborted|no answer|it cannot") as caught:
        ASKING[call]()
    assert type(caught.value) is kind


def test_what_is_not_there_is_not_found(client):
    client.fails["inspect one"] = refused("No such container: one", 404)
    assert DockerRunner().find("one") is None


@pytest.mark.parametrize("url", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:9"])
def test_an_unreachable_engine_is_named(monkeypatch, url):
    monkeypatch.setenv("RANKALPHA_DOCKER_URL", url)
    for ask in (lambda: DockerRunner().find(NAME), lambda: DockerRunner().create(job(), NAME)):
        with pytest.raises(EngineLost, match=f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}"):
            ask()


def test_an_address_where_something_else_answers_is_named(monkeypatch):
    with local_server(lambda _request: (200, "<html>")) as (url, _):
        monkeypatch.setenv("RANKALPHA_DOCKER_URL", url)
        with pytest.raises(EngineLost, match=f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}"):
            DockerRunner().find(NAME)
