"""Stages run as their tasks run them, on a real engine, through the proxy or also directly."""

import json
from dataclasses import replace

import pytest
from docker.errors import NotFound

from rankalpha import masking
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import StageFailed, StageInvalid
from rankalpha.runners.file_system import RESULT_PATH
from tests.engine.stage_jobs import BOTH_WAYS, follow, texts, writes

pytestmark = pytest.mark.usefixtures("swept", "way")
EAT = "x = []\nwhile True: x.append(bytearray(10**6))"
CHILD = f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {EAT!r}]).returncode)"
# first the file of cgroup v2, then that of v1
CGROUP = """
import json, os
from pathlib import Path
def read(*names):
    files = (Path("/sys/fs/cgroup", name) for name in names)
    return next(file.read_text().split() for file in files if file.exists())
quota = read("cpu.max", "cpu/cpu.cfs_quota_us")
found = {
    "memory": read("memory.max", "memory/memory.limit_in_bytes"),
    "swap": read("memory.swap.max", "memory/memory.memsw.limit_in_bytes"),
    "cpus": int(quota[0]) / int((quota[1:] or read("cpu/cpu.cfs_period_us"))[0]),
    "pids": read("pids.max", "pids/pids.max"),
}
Path(os.environ["RANKALPHA_RESULT"]).write_text(json.dumps(found))
"""


@BOTH_WAYS
def test_the_result_comes_back_and_the_limits_are_real(jobs):
    found = json.loads(jobs.result(jobs.python(CGROUP)))
    assert found["memory"] == [str(64 * 1024**2)]
    assert found["swap"] in (["0"], [str(64 * 1024**2)])  # v1 counts memory and swap together
    assert (found["cpus"], found["pids"]) == (1.5, ["50"])


def test_volume_and_working_folder_are_there(jobs):
    job = jobs.python(writes("[os.getcwd(), os.path.ismount('/data/prices')]"))
    assert json.loads(jobs.result(job)) == ["/app", True]


def test_a_working_folder_is_made_on_demand(jobs, demo):
    made = replace(demo, working_dir="/made/on/demand")
    assert json.loads(jobs.result(jobs.python(writes("os.getcwd()"), stage=made))) == "/made/on/demand"


def test_a_stage_may_write_no_result(jobs):
    assert jobs.result(jobs.run("true")) == b""


def test_a_failed_stage_is_quoted(jobs):
    name = jobs.identity().name
    with pytest.raises(
        StageFailed, match=rf"container {name}, exited with 3\. Last lines:\n  it broke$"
    ) as caught:
        jobs.result(jobs.run("sh -c 'echo it broke; exit 3'"))
    assert not isinstance(caught.value, StageInvalid)


@pytest.mark.parametrize("status", [64, 65, 78])
def test_wrong_usage_data_and_configuration_do_not_heal(jobs, status):
    with pytest.raises(StageInvalid, match=rf"exited with {status}\. Last lines: It printed nothing"):
        jobs.result(jobs.run(f"sh -c 'exit {status}'"))


def test_a_stage_without_memory_is_told_which_setting_to_raise(jobs):
    with pytest.raises(StageFailed, match=r"exited with 137\. .* memory ran out: raise DEMO_MEM\."):
        jobs.result(jobs.python(EAT))


def test_a_stage_that_outlives_a_child_without_memory(jobs, caplog):
    assert jobs.result(jobs.python(CHILD)) == b""
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith("The stage reports success. One of its processes was killed")
    assert DockerRunner().tail(jobs.identity().name) == ["-9"]


def test_a_stage_that_is_killed_otherwise_does_not_blame_memory(jobs):
    with pytest.raises(StageFailed, match=r"exited with 137\. It was killed, but not by its memory limit"):
        jobs.result(jobs.python("import os; os.kill(os.getpid(), 9)"))


@BOTH_WAYS
def test_the_largest_result(jobs):
    code = f"open({RESULT_PATH!r}, 'w').write('x' * 1024**2)"
    assert jobs.result(jobs.python(code)) == b"x" * 1024**2


def test_a_large_result_is_not_read(jobs, proxy):
    before = proxy.has_read()
    with pytest.raises(StageInvalid, match=r"its result .* has 100000000 bytes, of 1048576 at most"):
        jobs.result(jobs.python(f"open({RESULT_PATH!r}, 'w').truncate(100_000_000)"))
    assert proxy.has_read() - before < 50_000_000


@pytest.mark.parametrize("command", ["ln -s /etc/passwd", "mkdir", "mkfifo"])
def test_a_result_that_is_no_plain_file(jobs, command):
    with pytest.raises(StageInvalid, match=r"its result .* is not a plain file"):
        jobs.result(jobs.run(f"{command} {RESULT_PATH}"))


@BOTH_WAYS
def test_all_that_is_missing_is_named_and_nothing_is_made(jobs, engine, lacking):
    with pytest.raises(StageInvalid) as caught:
        jobs.result(jobs.run("true", stage=lacking, image="rankalpha_absent:1"))
    net, data = lacking.docker.network, lacking.docker.volumes[0].name
    assert str(caught.value).splitlines() == [
        "stage demo cannot start, the Docker engine lacks:",
        "  image 'rankalpha_absent:1': build or pull it on this engine, or set DEMO_IMAGE",
        f"  network '{net}': `docker compose up -d` makes it, or `docker network create {net}`",
        f"  volume '{data}': `docker compose up -d` makes it, or `docker volume create {data}`",
    ]
    assert DockerRunner().find(jobs.identity().name) is None
    with pytest.raises(NotFound):
        engine.inspect_volume(data)


@pytest.mark.parametrize("command", ["no-such-program", "/etc/passwd", "sh -c no-such-program"])
def test_a_command_that_cannot_be_run(jobs, command):
    with pytest.raises(
        StageInvalid, match=r"exited with 12[67]\. .* correct DEMO_COMMAND\. Last lines:\n  .*"
    ):
        jobs.result(jobs.run(command))


def test_a_working_folder_that_cannot_be(jobs, demo):
    """The container never ran, and is gone: the next one is made with a folder that was mended."""
    with pytest.raises(
        StageInvalid, match=r"DEMO_COMMAND='true' cannot be run in /etc/passwd: .*not a directory"
    ):
        jobs.result(jobs.run("true", stage=replace(demo, working_dir="/etc/passwd")))
    assert jobs.result(jobs.run("true")) == b""


def test_secrets_are_masked_by_what_the_container_was_given(jobs):
    """The triggerer, which logs the output, knows them from nowhere else."""
    env = {"TOKEN": "tok-s3cret", "DATABASE_URL": "postgresql://u:pg-s3cret@db/x", "LICENCE": "li-s3cret"}
    one = jobs.start(jobs.run('sh -c "echo $TOKEN; echo $DATABASE_URL; echo $LICENCE; echo fine"', env=env))
    masking.mask(DockerRunner().environment(one.id), ["LICENCE"])
    shown = [masking.masked(text) for text in texts(follow(one)[1])]
    assert shown == ["***", "postgresql://u:***@db/x", "***", "fine"]
