"""Which of its volumes a stage's container can write to, and what that takes; tests/engine tries it."""

from dataclasses import replace
from typing import Any

import pytest

from rankalpha.runners import docker
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import StageInvalid
from rankalpha.stages.docker import Volume
from tests.unit.rankalpha.support.demo_stage import KEY, job
from tests.unit.rankalpha.support.fake_docker import ID, Client, refused

NAME = "rankalpha-demo-2025-11-20T06-00-00-0123abcd"
VOLUMES = (Volume("prices_data", "/data/prices"), Volume("reports_data", "/data/reports"))
PRICES = f"/data/prices/{KEY}/ingestion-1-1"
INPUT = {"RANKALPHA_INPUT_PRICES": PRICES, "RANKALPHA_INPUT_PRICES_SHA256": "0a" * 32}
IN_PRICES = {"RANKALPHA_OUTPUT": f"/data/prices/{KEY}/demo-1-1"}
IN_REPORTS = {"RANKALPHA_OUTPUT": f"/data/reports/{KEY}/demo-1-1"}
WHOLE, REPORTS = ("prices_data", "/data/prices", "", "rw"), ("reports_data", "/data/reports", "", "rw")
READ_ONLY = ("prices_data", "/data/prices", "", "ro")
READ = ("prices_data", PRICES, f"{KEY}/ingestion-1-1", "ro")
OF_BATCH = ("prices_data", f"/data/prices/{KEY}", KEY, "rw")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """The client that the runner uses; it notes which version of the API it was made for."""
    made = Client()

    def chosen(_url: str, version: str = "1.44") -> Client:
        made.calls.append(version)
        return made

    monkeypatch.setattr(docker, "client_of", chosen)
    return made


def mounted(client: Client, env: dict[str, str], **parts: Any) -> list[tuple[str, str, str, str]]:
    """Return the data volumes of a container, as volume, target, folder in it, and how."""
    DockerRunner().create(job(env=env, **{"volumes": VOLUMES, **parts}), NAME)
    *found, result = client.created["HostConfig"]["Mounts"]
    assert result["Source"] is None
    return [
        (
            each["Source"],
            each["Target"],
            each.get("VolumeOptions", {}).get("Subpath", ""),
            "ro" if each["ReadOnly"] else "rw",
        )
        for each in found
    ]


def test_a_stage_that_is_given_no_versions_writes_to_its_volumes(client):
    assert mounted(client, {}) == mounted(client, IN_PRICES) == [WHOLE, REPORTS]
    assert "ping" not in client.calls


def test_a_volume_that_a_stage_never_writes_to_is_read_only(client):
    """Also one of what its inputs were made from, which no variable names."""
    declared = (replace(VOLUMES[0], read_only=True), VOLUMES[1])
    for env in ({}, IN_REPORTS):
        assert mounted(client, env, volumes=declared) == [READ_ONLY, REPORTS]


def test_a_volume_of_inputs_alone_is_read_only(client):
    assert mounted(client, INPUT | IN_REPORTS) == [READ_ONLY, REPORTS]
    assert "ping" not in client.calls  # any engine can do that


def test_beside_its_inputs_a_stage_writes_to_the_folder_of_its_batch(client):
    assert mounted(client, INPUT | IN_PRICES) == [READ_ONLY, OF_BATCH, READ, REPORTS]
    assert "1.45" in client.calls


def test_a_stage_that_prunes_writes_to_all_but_its_inputs(client):
    assert mounted(client, INPUT | IN_PRICES, output="prices", prunes=True) == [WHOLE, READ, REPORTS]


@pytest.mark.parametrize("version", ["1.44", "1.9", ""])
def test_an_older_engine_is_not_asked_for_a_folder_of_a_volume(client, version):
    """It would mount the whole volume where the folder belongs."""
    client.engine_api = version
    assert mounted(client, INPUT | IN_PRICES) == [WHOLE, REPORTS]
    assert "1.45" not in client.calls


@pytest.mark.parametrize("version", ["1.45", "1.51", "2.0"])
def test_a_newer_engine_is(client, version):
    client.engine_api = version
    assert READ in mounted(client, INPUT | IN_PRICES)
    assert "1.45" in client.calls


@pytest.mark.parametrize("inside", [KEY, f"{KEY}/ingestion-1-1"])
@pytest.mark.parametrize(("call", "status"), [(f"put_archive {ID}", 500), (f"start {ID}", 404)])
def test_a_version_that_is_gone_is_named_and_the_container_removed(client, inside, call, status):
    there = f"/var/lib/docker/volumes/prices_data/_data/{inside}"
    said = f"cannot access path {there}: lstat {there}: no such file or directory"
    client.fails[call] = refused(said, status)
    runner, made = DockerRunner(), job(env=INPUT | IN_PRICES)
    with pytest.raises(StageInvalid, match=f"stage demo: {PRICES}: missing, .*publish-version"):
        runner.start(runner.inspect(ID), made)
    assert client.calls[-1] == f"remove {ID}"
