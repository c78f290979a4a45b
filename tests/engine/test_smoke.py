"""A stage in a container, through the proxy, from start to result: what `make test` has of a real engine."""

import json

import pytest

from rankalpha.runners.docker import DockerRunner
from tests.engine.stage_jobs import writes

pytestmark = pytest.mark.usefixtures("nothing_left", "way")


def test_a_stage_runs_in_a_container_gives_its_result_and_is_removed(jobs, engine):
    written = writes("[os.environ['RANKALPHA_BATCH'], os.path.ismount('/data/prices')]")
    assert json.loads(jobs.result(jobs.python(written))) == ["2026-11-22T06:00:00", True]
    (one,) = DockerRunner().containers(jobs.identity().of_task)
    assert (one.running, one.status) == (False, 0)
    assert engine.inspect_container(one.id)["HostConfig"]["PidsLimit"] == 50
    DockerRunner().remove(one.id)
    assert DockerRunner().find(one.name) is None
