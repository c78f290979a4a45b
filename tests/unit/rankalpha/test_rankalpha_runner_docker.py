"""The docker runner against an engine that records what it is asked; tests/docker has a real one."""

import io
import logging
import re
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from docker import APIClient
from docker.errors import APIError, NotFound
from rankalpha_helpers import KEY, job, local_server
from urllib3.exceptions import ProtocolError

from rankalpha.runners import StageFailed, StageInvalid
from rankalpha.runners.base import GRACE_SECONDS
from rankalpha.runners.docker import DockerRunner
from rankalpha.stage import RESULT_PATH, Volume

log = logging.getLogger("stage")
NAME = re.compile(r"rankalpha-demo-2025-11-20T06-00-00-[0-9a-f]{8}")
RESULT_FILE = "rankalpha-result.json"
CHECKS = ["image demo:1", "network rankalpha_net", "volume prices_data"]


class Engine(APIClient):
    """docker-py's client without its transport: answers from memory and records each call in order."""

    def __init__(self, output: list[bytes] | None = None, status: int = 0, **state: Any) -> None:
        super().__init__(base_url="http://127.0.0.1:9", version="1.44")
        self.calls: list[str] = []
        self.created: dict[str, Any] = {}
        self.output, self.status, self.state = output or [], status, state
        self.result: bytes | None = None
        self.stat: dict[str, Any] = {}
        self.fails: dict[str, Exception] = {}
        self.name = ""

    def _note(self, call: str, container: str = "") -> None:
        assert container == self.name
        self.calls.append(call)
        if call in self.fails:
            raise self.fails[call]

    def inspect_image(self, image: str) -> None:
        self._note(f"image {image}")

    def inspect_network(self, network: str) -> None:
        self._note(f"network {network}")

    def inspect_volume(self, volume: str) -> None:
        self._note(f"volume {volume}")

    def create_container_from_config(self, config: dict[str, Any], name: str, *_: Any) -> dict[str, Any]:
        self.created = config  # what docker-py would send, after its own checks
        self.name = name
        self._note("create", name)
        return {"Id": "0123456789abcdef", "Warnings": []}

    def logs(self, container: str, **how: Any) -> Iterator[bytes]:
        assert how == {"stream": True, "follow": True}
        self._note("logs", container)
        return iter(self.output)

    def start(self, container: str) -> None:
        self._note("start", container)

    def wait(self, container: str) -> dict[str, Any]:
        self._note("wait", container)
        return {"StatusCode": self.status}

    def inspect_container(self, container: str) -> dict[str, Any]:
        self._note("inspect", container)
        return {"State": {"OOMKilled": False, **self.state}}

    def get_archive(
        self, container: str, path: str, chunk_size: int
    ) -> tuple[Iterator[bytes], dict[str, Any]]:
        assert path == RESULT_PATH
        self._note("get_archive", container)
        if self.result is None:
            raise NotFound("no such file", explanation="Could not find the file in container")
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            entry = tarfile.TarInfo(RESULT_FILE)
            entry.size = len(self.result)
            archive.addfile(entry, io.BytesIO(self.result))
        data = raw.getvalue()
        stat = {"name": RESULT_FILE, "mode": 0o644, "size": len(self.result), **self.stat}
        return self._sent(data[:100], data[100:700], data[700:]), stat

    def _sent(self, *chunks: bytes) -> Iterator[bytes]:
        """Send chunks; the engine keeps the container to itself until they are read or refused."""
        try:
            yield from chunks
        finally:
            self.calls.append("sent")

    def stop(self, container: str, timeout: int) -> None:
        assert timeout == GRACE_SECONDS
        self._note("stop", container)

    def remove_container(self, container: str, v: bool, force: bool) -> None:
        assert v
        assert force
        self._note("remove", container)


def refused(kind: type[APIError], explanation: str, status: int) -> APIError:
    response = requests.Response()
    response.status_code = status
    return kind(explanation, response=response, explanation=explanation)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def run(engine: Engine, **parts: Any) -> bytes:
    runner = DockerRunner()
    runner._client = engine
    return runner.run(job(**parts), log)


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "stage"][1:]


def test_a_container_is_made_when_all_is_there_and_removed_at_the_end(engine):
    assert run(engine) == b""
    rest = ["create", "start", "logs", "wait", "inspect", "get_archive", "stop", "remove"]
    assert engine.calls == [*CHECKS, *rest]


def test_a_container_has_a_name_of_its_own():
    names = []
    for engine in (Engine(), Engine()):
        run(engine)
        names.append(engine.name)
    assert all(NAME.fullmatch(name) for name in names)
    assert names[0] != names[1]


def test_limits_are_real_limits(engine):
    run(engine)
    host = engine.created["HostConfig"]
    assert host["NanoCpus"] == 1_500_000_000
    assert host["Memory"] == host["MemorySwap"] == 512 * 1024 * 1024
    assert host["PidsLimit"] == 64
    assert host["Init"] is True
    assert "CpuShares" not in host
    assert not host.get("Privileged")


def test_network_volumes_command_and_folder_are_the_stages(engine):
    volumes = (Volume("prices_data", "/data/prices"), Volume("company_reports", "/data/company_reports"))
    run(
        engine,
        volumes=volumes,
        network="some_net",
        working_dir="/app/apps/demo",
        command="uv run 'my main.py'",
    )
    host = engine.created["HostConfig"]
    assert host["NetworkMode"] == "some_net"
    mounts = [
        (mount["Type"], mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in host["Mounts"]
    ]
    assert mounts == [
        ("volume", "prices_data", "/data/prices", False),
        ("volume", "company_reports", "/data/company_reports", False),
    ]
    assert engine.created["Image"] == "demo:1"
    assert engine.created["Cmd"] == ["uv", "run", "my main.py"]
    assert engine.created["WorkingDir"] == "/app/apps/demo"
    assert engine.created["Labels"] == {"rankalpha.dag": "rankalpha_demo"}


def test_the_environment_is_that_of_the_stage_alone(engine, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    run(engine, env={"DEPTH": "3"}, data_dir_keys=("RANKALPHA_DATA_DIR", "DEMO_DATA_DIR"))
    assert sorted(engine.created["Env"]) == [
        "DEMO_DATA_DIR=/data",
        "DEPTH=3",
        f"RANKALPHA_BATCH={KEY}",
        "RANKALPHA_DATA_DIR=/data",
        f"RANKALPHA_RESULT={RESULT_PATH}",
    ]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"on", b"e\nt", b"wo"], ["one", "two"]),
        ([b"one\r\n", b"\n", b"two\n"], ["one", "", "two"]),
        (["ä€\n".encode()[:1], "ä€\n".encode()[1:4], "ä€\n".encode()[4:]], ["ä€"]),
        ([b"a\xffb\n"], ["a\ufffdb"]),
        ([b"%s %d {x}\n"], ["%s %d {x}"]),
        ([], []),
    ],
)
def test_lines_are_logged_whole(engine, caplog, chunks, expected):
    caplog.set_level("INFO")
    engine.output = chunks
    run(engine)
    assert lines(caplog) == expected


def test_the_result_is_read_out_of_the_stopped_container(engine):
    engine.result = b'{"rows": 3}' * 100
    assert run(engine) == engine.result


def test_a_failed_stage_is_quoted_and_its_container_removed(engine):
    engine.output, engine.status = [b"line %d\n" % n for n in range(100)], 3
    with pytest.raises(StageFailed) as caught:
        run(engine)
    assert not isinstance(caught.value, StageInvalid)
    assert str(caught.value).splitlines()[0] == f"stage demo of batch {KEY} exited with 3. Last lines:"
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        f"line {n}" for n in range(80, 100)
    ]
    assert "get_archive" not in engine.calls
    assert engine.calls[-2:] == ["stop", "remove"]


@pytest.mark.parametrize("status", [64, 65, 78])
def test_wrong_usage_data_and_configuration_do_not_heal(engine, status):
    engine.status = status
    with pytest.raises(StageInvalid, match=f"exited with {status}"):
        run(engine)


@pytest.mark.parametrize("status", [125, 126, 127])
def test_a_command_that_is_not_there_does_not_heal(engine, status):
    engine.status = status
    with pytest.raises(StageInvalid, match=f"exited with {status}.* cannot be run: mend DEMO_COMMAND"):
        run(engine)


@pytest.mark.parametrize("status", [137, 3])
def test_running_out_of_memory_is_named(status):
    engine = Engine([b"Killed\n"], status=status, OOMKilled=True)
    with pytest.raises(StageFailed, match=rf"exited with {status}\. .* memory: raise DEMO_MEM, now 512m\. "):
        run(engine)


def test_a_stage_that_went_on_without_a_child_is_warned_of(caplog):
    assert run(Engine(OOMKilled=True)) == b""
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(
        "The stage says that it is done. A process of it was killed for want of memory:"
    )


def test_another_kill_does_not_blame_memory(engine):
    engine.status = 137
    with pytest.raises(
        StageFailed, match=r"exited with 137\. It was killed, and not for its memory limit\. "
    ):
        run(engine)


@pytest.mark.parametrize(
    ("stat", "wrong"),
    [
        ({"size": 1024 * 1024 + 1}, "has 1048577 bytes, of 1048576 at most"),
        ({"mode": 0o644 | 1 << 27}, "is not a plain file"),  # a symbolic link in Go
        ({"mode": 0o755 | 1 << 31}, "is not a plain file"),  # a folder
    ],
)
def test_what_is_no_result_is_refused_and_the_container_removed(engine, stat, wrong):
    engine.result, engine.stat = b"{}", stat
    with pytest.raises(StageInvalid, match=f"stage demo: its result {RESULT_PATH} {wrong}"):
        run(engine)
    assert engine.calls[-4:] == ["get_archive", "sent", "stop", "remove"]


def test_all_that_is_missing_is_named_at_once(engine):
    engine.fails = dict.fromkeys(CHECKS, refused(NotFound, "no such thing", 404))
    with pytest.raises(StageInvalid) as caught:
        run(engine)
    assert str(caught.value).splitlines() == [
        "stage demo cannot start, the Docker engine lacks:",
        "  image 'demo:1': build or pull it on this engine, or set DEMO_IMAGE",
        "  network 'rankalpha_net': `docker compose up` makes it, or `docker network create rankalpha_net`",
        "  volume 'prices_data': `docker compose up` makes it, or `docker volume create prices_data`",
    ]
    assert engine.calls == CHECKS


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, 'runc create failed: exec: "python": executable file not found in $PATH: unknown'),
        (400, "the working directory 'app' is invalid, it needs to be an absolute path"),
        (500, "Cannot mkdir: /app is not a directory"),
    ],
)
def test_a_command_or_folder_that_docker_cannot_use_does_not_heal(engine, status, said):
    engine.fails["start"] = refused(APIError, said, status)
    with pytest.raises(StageInvalid) as caught:
        run(engine)
    assert str(caught.value) == f"stage demo: DEMO_COMMAND='python main.py' cannot be run in /app: {said}"
    assert engine.calls[-2:] == ["stop", "remove"]


@pytest.mark.parametrize("status", [400, 403])
def test_what_docker_or_the_proxy_refuses_does_not_heal(engine, status):
    engine.fails["create"] = refused(APIError, "the proxy refuses it", status)
    with pytest.raises(StageInvalid, match="Docker refused stage demo: the proxy refuses it"):
        run(engine)


@pytest.mark.parametrize("status", [404, 409, 500])
def test_another_refusal_of_the_engine_may_heal(engine, status):
    engine.fails["start"] = refused(APIError, "driver failed programming external connectivity", status)
    with pytest.raises(StageFailed, match="Docker refused stage demo: driver failed") as caught:
        run(engine)
    assert not isinstance(caught.value, StageInvalid)
    assert engine.calls[-2:] == ["stop", "remove"]


def test_a_proxy_without_an_engine_may_heal(engine):
    engine.fails["start"] = refused(APIError, "no answer from the engine", 502)
    with pytest.raises(StageFailed, match=r"lost the Docker engine at .*: no answer") as caught:
        run(engine)
    assert not isinstance(caught.value, StageInvalid)


@pytest.mark.parametrize(("status", "warnings"), [(404, 0), (409, 0), (500, 1)])
def test_a_container_that_cannot_be_removed_is_no_reason_to_lose_the_result(engine, caplog, status, warnings):
    engine.fails["remove"] = refused(APIError, "no", status)
    assert run(engine) == b""
    assert len([text for text in caplog.messages if "is left behind" in text]) == warnings


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("Connection aborted."), ProtocolError("Connection broken")]
)
def test_an_engine_that_goes_away_may_come_back(engine, error):
    engine.fails = {"wait": error, "stop": requests.ConnectionError("Connection aborted.")}
    where = r"RANKALPHA_DOCKER_URL=unix:///var/run/docker\.sock"
    with pytest.raises(StageFailed, match=f"lost the Docker engine at {where} during stage demo: Conn"):
        run(engine)


def test_stop_is_harmless_before_anything_runs(engine):
    runner = DockerRunner()
    runner._client = engine
    runner.stop()
    assert engine.calls == []


def test_a_stop_while_the_container_is_made_keeps_it_from_starting(engine):
    runner = DockerRunner()
    runner._client = engine
    create = engine.create_container_from_config

    def stopped(*what: Any) -> Any:
        made = create(*what)
        runner.stop()
        return made

    engine.create_container_from_config = stopped
    with pytest.raises(StageFailed, match=f"stage demo of batch {KEY} was stopped"):
        runner.run(job(), log)
    assert engine.calls == [*CHECKS, "create", "stop", "remove", "stop", "remove"]


def test_a_stop_during_the_run_is_named(engine):
    """A killed task stops and removes the container, while its output is read."""
    runner = DockerRunner()
    runner._client = engine

    def output() -> Iterator[bytes]:
        yield b"working\n"
        runner.stop()
        engine.fails = dict.fromkeys(("wait", "stop"), refused(NotFound, "No such container", 404))

    engine.logs = lambda *_args, **_how: output()
    with pytest.raises(StageFailed, match=f"stage demo of batch {KEY} was stopped"):
        runner.run(job(), log)


@pytest.mark.parametrize("url", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:9"])
def test_an_unreachable_engine_is_named(monkeypatch, url):
    monkeypatch.setenv("RANKALPHA_DOCKER_URL", url)
    with pytest.raises(
        StageFailed, match=f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}"
    ) as caught:
        DockerRunner().run(job(), log)
    assert not isinstance(caught.value, StageInvalid)


def test_an_address_where_something_else_answers_is_named(monkeypatch):
    with local_server(lambda _request: (200, "<html>")) as (url, _):
        monkeypatch.setenv("RANKALPHA_DOCKER_URL", url)
        with pytest.raises(StageFailed, match=f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}"):
            DockerRunner().run(job(), log)
