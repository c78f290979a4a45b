"""What a stage may do in its container, on a real engine: no more than an ordinary program."""

from dataclasses import replace

import pytest

from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import StageInvalid
from tests.engine.stage_jobs import BOTH_WAYS
from tests.support import intruder

pytestmark = pytest.mark.usefixtures("swept", "way")
OF_OTHERS = "sh -c 'touch /tmp/theirs; chown 65534 /tmp/theirs 2>&1; stat -c %u /tmp/theirs'"


def printed(jobs, command, name="demo", capabilities=()):
    """What a stage's command prints in its container."""
    options = replace(jobs.stage.docker, capabilities=capabilities)
    stage = replace(jobs.stage, name=name, docker=options)
    job = jobs.run(command, identity=jobs.identity(stage=name), stage=stage)
    return DockerRunner().tail(jobs.ended(job, stage=name).id)


@BOTH_WAYS
def test_root_in_a_container_has_no_capability_and_sees_no_packets(jobs):
    seen = intruder.findings("\n".join(printed(jobs, intruder.command())))
    assert seen["user"] == {"0"}
    assert seen["capabilities"] == intruder.NO_CAPABILITY
    assert seen["no_new_privileges"] == {"1"}
    assert seen["opened"] == {"plain"}


@BOTH_WAYS
def test_a_stage_has_the_capability_that_it_declares(jobs):
    refused, owner = printed(jobs, OF_OTHERS)
    assert "Operation not permitted" in refused
    assert owner == "0"
    assert printed(jobs, OF_OTHERS, name="powerful", capabilities=("CHOWN",)) == ["65534"]


def test_the_proxy_refuses_what_the_stages_do_not_declare(jobs):
    said = "Docker refused stage powerful: .* refuses capability 'powerful:SETUID': .* powerful:CHOWN"
    with pytest.raises(StageInvalid, match=said):
        printed(jobs, "true", name="powerful", capabilities=("CHOWN", "SETUID"))
