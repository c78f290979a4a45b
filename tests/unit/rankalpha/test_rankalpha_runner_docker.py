"""The docker runner against an engine that records what it is asked; tests/integration has a real one."""

import io
import logging
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound
from rankalpha_helpers import KEY, job, local_server

from rankalpha.runners import StageFailed, StageInvalid
from rankalpha.runners.base import GRACE_SECONDS
from rankalpha.runners.docker import RESULT_PATH, DockerRunner
from rankalpha.stage import Volume

log = logging.getLogger("stage")
CONTAINER = "0123456789abcdef"
RESULT_FILE = "rankalpha-result.json"


class Engine(APIClient):
    """docker-py's client without its transport: answers from memory and records each call in order."""

    def __init__(self, output: list[bytes] | None = None, status: int = 0, **state: Any) -> None:
        super().__init__(base_url="http://127.0.0.1:9", version="1.44")
        self.calls: list[str] = []
        self.created: dict[str, Any] = {}
        self.output, self.status, self.state = output or [], status, state
        self.result: bytes | None = None
        self.fails: dict[str, Exception] = {}

    def _note(self, call: str, container: str = CONTAINER) -> None:
        assert container == CONTAINER
        self.calls.append(call)
        if call in self.fails:
            raise self.fails[call]

    def create_container_from_config(self, config: dict[str, Any], *_: Any) -> dict[str, Any]:
        self.created = config  # what docker-py would send, after its own checks
        self._note("create")
        return {"Id": CONTAINER, "Warnings": []}

    def attach(self, container: str, **how: Any) -> Iterator[bytes]:
        assert how == {"stdout": True, "stderr": True, "stream": True}
        self._note("attach", container)
        return iter(self.output)

    def start(self, container: str) -> None:
        self._note("start", container)

    def wait(self, container: str) -> dict[str, Any]:
        self._note("wait", container)
        return {"StatusCode": self.status}

    def inspect_container(self, container: str) -> dict[str, Any]:
        self._note("inspect", container)
        return {"State": {"OOMKilled": False, **self.state}}

    def get_archive(self, container: str, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
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
        return iter([data[:100], data[100:700], data[700:]]), {"name": RESULT_FILE}

    def stop(self, container: str, timeout: int) -> None:
        assert timeout == GRACE_SECONDS
        self._note("stop", container)

    def remove_container(self, container: str, force: bool) -> None:
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


def test_a_container_is_attached_before_it_starts_and_removed_at_the_end(engine):
    assert run(engine) == b""
    assert engine.calls == ["create", "attach", "start", "wait", "inspect", "get_archive", "stop", "remove"]


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


def test_running_out_of_memory_is_named():
    engine = Engine([b"Killed\n"], status=137, OOMKilled=True)
    with pytest.raises(StageFailed, match=r"exited with 137\. It ran out of memory: raise its MEM setting"):
        run(engine)


def test_a_missing_image_is_named(engine):
    engine.fails["create"] = refused(ImageNotFound, "No such image: demo:1", 404)
    with pytest.raises(StageInvalid, match="image 'demo:1' is not there: build or pull it"):
        run(engine)
    assert engine.calls == ["create"]


def test_a_missing_network_is_named_and_the_container_removed(engine):
    engine.fails["start"] = refused(NotFound, "network some_net not found", 404)
    with pytest.raises(StageInvalid, match="stage demo cannot start: network some_net not found"):
        run(engine)
    assert engine.calls[-2:] == ["stop", "remove"]


def test_another_refusal_of_the_engine_may_heal(engine):
    engine.fails["start"] = refused(APIError, "driver failed programming external connectivity", 500)
    with pytest.raises(StageFailed, match="Docker refused stage demo: driver failed") as caught:
        run(engine)
    assert not isinstance(caught.value, StageInvalid)
    assert engine.calls[-2:] == ["stop", "remove"]


def test_a_container_that_somebody_has_removed_is_no_error_at_the_end(engine):
    engine.fails["stop"] = refused(NotFound, "No such container", 404)
    assert run(engine) == b""


def test_an_engine_that_goes_away_may_come_back(engine):
    engine.fails = dict.fromkeys(("wait", "stop"), requests.ConnectionError("Connection aborted."))
    with pytest.raises(
        StageFailed, match=r"lost the Docker engine at unix:///var/run/docker\.sock during stage demo"
    ):
        run(engine)


def test_stop_is_harmless_at_any_time(engine):
    runner = DockerRunner()
    runner._client = engine
    runner.stop()
    assert engine.calls == []
    runner._container = CONTAINER
    runner.stop()
    runner.stop()
    assert engine.calls == ["stop", "remove"]


def test_stop_during_the_run_leaves_the_rest_to_nobody(engine):
    """A killed task stops the container; the run that ends by it does not ask for the container again."""
    runner = DockerRunner()
    runner._client = engine

    def output() -> Iterator[bytes]:
        yield b"working\n"
        runner.stop()
        engine.status = 143

    engine.attach = lambda *_args, **_how: output()
    with pytest.raises(StageFailed, match="exited with 143"):
        runner.run(job(), log)
    assert engine.calls.count("stop") == engine.calls.count("remove") == 1


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
