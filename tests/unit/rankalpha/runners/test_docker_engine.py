"""What a Docker engine says and gives back is read right, down to what it says rarely."""

from datetime import UTC, datetime, timedelta

import pytest
from docker.errors import NotFound

from rankalpha.runners.docker_engine import container_of, result
from rankalpha.runners.failures import StageInvalid
from rankalpha.runners.file_system import RESULT_PATH
from tests.unit.rankalpha.support.fake_docker import ID, Client, found, refused

STARTED = datetime(2025, 11, 20, 6, 0, 2, 500_000, tzinfo=UTC)
RAN = {"StartedAt": "2025-11-20T06:00:02.5Z", "FinishedAt": "2025-11-20T06:00:05.123456789Z"}


def test_a_container_that_never_ran_has_no_times_and_no_status():
    one = container_of(found("a-name", {"x": "y"}))
    assert (one.id, one.name, one.labels) == (ID, "a-name", {"x": "y"})
    assert one.created == datetime(2025, 11, 20, 6, 0, 1, 123_456, tzinfo=UTC)
    assert (one.running, one.started, one.ended, one.status) == (False, None, None, None)


def test_a_container_that_runs_has_not_ended():
    """Even though an earlier run of it has."""
    one = container_of(found(**RAN, Running=True))
    assert (one.running, one.started, one.ended, one.status) == (True, STARTED, None, None)


@pytest.mark.parametrize(("status", "killed"), [(0, False), (137, True)])
def test_a_container_that_has_ended_has_a_status(status, killed):
    one = container_of(found(**RAN, ExitCode=status, OOMKilled=killed))
    assert (one.running, one.status, one.out_of_memory) == (False, status, killed)
    assert (one.started, one.ended) == (STARTED, STARTED + timedelta(seconds=2, microseconds=623_456))


def test_a_container_without_labels():
    assert container_of(found(labels=None)).labels == {}


def test_the_result_is_read_whole_and_the_container_let_go():
    client = Client()
    client.result = b'{"rows": 3}' * 100
    assert result(client, ID, "demo") == client.result
    assert client.calls == [f"get_archive {ID}", "sent"]


@pytest.mark.parametrize(
    ("stat", "wrong"),
    [
        ({"size": 1024 * 1024 + 1}, "has 1048577 bytes, of 1048576 at most"),
        ({"mode": 0o644 | 1 << 27}, "is not a plain file"),  # a symbolic link in Go
        ({"mode": 0o755 | 1 << 31}, "is not a plain file"),  # a folder
    ],
)
def test_what_is_no_result_is_refused_and_the_container_let_go(stat, wrong):
    client = Client()
    client.result, client.stat = b"{}", stat
    with pytest.raises(StageInvalid, match=f"stage demo: its result {RESULT_PATH} {wrong}"):
        result(client, ID, "demo")
    assert client.calls == [f"get_archive {ID}", "sent"]


def test_no_result_is_told_from_no_container():
    client = Client()
    assert result(client, ID, "demo") == b""
    client.fails = {f"inspect {ID}": refused("No such container", 404)}
    with pytest.raises(NotFound, match="No such container"):
        result(client, ID, "demo")
