"""Sizes of limits, which are those of `docker run`, without Docker's client."""

import subprocess
import sys

import pytest
from docker.utils import parse_bytes

from rankalpha.stages.limits import size
from rankalpha.stages.profile import Profile


@pytest.mark.parametrize(
    "text", ["7000000", "7000000b", "64m", "64M", "64mb", "1.5g", ".5g", "2G", "7168k", "7168KB"]
)
def test_a_size_is_what_docker_takes_it_for(text):
    profile = Profile(file={"DEMO_MEM": text}, lookup=lambda _: None)
    assert size(profile, "DEMO_MEM", 0) == parse_bytes(text)


JOB = """
import sys
from rankalpha.runners.process import ProcessRunner
from rankalpha.stages import STAGES
from rankalpha.stages.job import StageJob
from rankalpha.stack.docker_proxy import allowed, container, operations, proxy, server
StageJob.of(STAGES[0], "2026-11-22T06:00:00", {})
print([name for name in sys.modules if name.split(".")[0] in ("docker", "aiodocker")])
"""


def test_neither_the_process_runner_nor_the_proxy_needs_dockers_client(profile_dir):
    done = subprocess.run([sys.executable, "-c", JOB], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
