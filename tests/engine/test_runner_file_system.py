"""Where a stage can write, on a real engine: to its volumes, a bounded /tmp and the place of its result."""

import io
import json
import shlex
from dataclasses import replace

import pytest

from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import StageInvalid
from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME
from tests.engine.stage_jobs import BOTH_WAYS, KEY, follow, writes
from tests.support.engine import labels
from tests.support.needs import IMAGE

pytestmark = pytest.mark.usefixtures("swept", "way")
MEGABYTE = 1024**2
# tries each folder, and what the mounts that can be written to can hold at most, in megabytes
EVERYWHERE = """
import json, os
def takes(folder):
    try:
        open(os.path.join(folder, "x"), "w").close()
        return True
    except OSError:
        return False
writable = []
for folder, folders, _ in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/dev", "/proc")]
    if takes(folder):
        writable.append(folder)
mounts = [line.split() for line in open("/proc/mounts")]
sizes = {at: os.statvfs(at) for _, at, kind, *_ in mounts if kind == "tmpfs" and os.access(at, os.W_OK)}
bounds = {at: size.f_blocks * size.f_frsize >> 20 for at, size in sizes.items()}
json.dump([sorted(writable), bounds], open(os.environ["RANKALPHA_RESULT"], "w"))
"""
FILL = """
import errno, json, os
written = 0
try:
    with open("/tmp/much", "wb", buffering=0) as file:
        while True:
            written += file.write(bytes(2**16))
except OSError as error:
    json.dump([errno.errorcode[error.errno], written], open(os.environ["RANKALPHA_RESULT"], "w"))
"""
TO_ITS_IMAGE = "sh -c 'echo x > /etc/mine && cat /etc/mine'"


@pytest.fixture(scope="module")
def image_of_nobody(engine, session):
    """An image whose user is an ordinary one, and which knows nothing of us."""
    file = io.BytesIO(f"FROM {IMAGE}\nUSER 65534:65534\n".encode())
    list(engine.build(fileobj=file, tag=f"{session}:nobody", labels=labels(), rm=True, decode=True))
    yield f"{session}:nobody"
    engine.remove_image(f"{session}:nobody", force=True)


def volumes_of(engine, container):
    """Where a container has volumes, and which."""
    return {mount["Destination"]: mount["Name"] for mount in engine.inspect_container(container.id)["Mounts"]}


def there(engine):
    """All volumes of the engine."""
    return {volume["Name"] for volume in engine.volumes()["Volumes"] or ()}


@BOTH_WAYS
def test_root_in_a_container_writes_to_its_volumes_and_to_memory_of_bounded_size(jobs):
    folders, bounds = json.loads(jobs.result(jobs.python(EVERYWHERE)))
    assert folders == ["/data/prices", RESULT_VOLUME, f"{RESULT_VOLUME}/out", "/tmp"]
    assert bounds.pop("/tmp") == 16
    assert bounds
    assert max(bounds.values()) <= 64, "the engine's own: /dev and /dev/shm"


def test_another_user_leaves_a_result_too(jobs, image_of_nobody):
    folders, _ = json.loads(jobs.result(jobs.python(EVERYWHERE, image=image_of_nobody)))
    assert {f"{RESULT_VOLUME}/out", "/tmp"} <= set(folders) <= {f"{RESULT_VOLUME}/out", "/tmp", "/var/tmp"}


def test_tmp_is_full_when_it_is_full(jobs):
    assert json.loads(jobs.result(jobs.python(FILL))) == ["ENOSPC", 16 * MEGABYTE]


def test_tmp_counts_against_the_memory(jobs):
    one = jobs.ended(jobs.python(FILL, tmp_bytes=1024 * MEGABYTE))
    assert (one.status, one.out_of_memory) == (137, True)


def test_programs_run_in_tmp(jobs):
    command = "cp /bin/true /tmp/program && /tmp/program && echo ran"
    one = jobs.ended(jobs.run(f"sh -c {shlex.quote(command)}"))
    assert DockerRunner().tail(one.id) == ["ran"]


def test_an_image_that_writes_to_its_home_is_given_another(jobs):
    job = jobs.run("sh -c 'echo x > ~/mine && cat ~/mine'", env={"RANKALPHA_BATCH": KEY, "HOME": "/tmp"})
    assert DockerRunner().tail(jobs.ended(job).id) == ["x"]


@BOTH_WAYS
def test_a_result_outlives_the_stop_and_is_replaced_as_a_whole(jobs):
    code = "import os; path = os.environ['RANKALPHA_RESULT']\n"
    code += "open(path + '.new', 'w').write('whole'); os.replace(path + '.new', path)"
    one = jobs.ended(jobs.python(code))
    follow(one)
    for _ in range(2):  # as often as somebody adopts it
        assert DockerRunner().result(jobs.start(jobs.python(code)).id, "demo") == b"whole"


@BOTH_WAYS
def test_the_place_of_the_result_is_the_containers_own_and_goes_with_it(jobs, engine):
    before = there(engine)
    later = {"batch": "2026-11-22T07:00:00"}
    code = writes("os.listdir(os.path.dirname(os.environ['RANKALPHA_RESULT']))")
    first = jobs.ended(jobs.python(code))
    second = jobs.ended(jobs.python(code, identity=jobs.identity(**later)), **later)
    runner = DockerRunner()
    assert [json.loads(runner.result(one.id, "demo")) for one in (first, second)] == [[], []]
    places = [volumes_of(engine, one) for one in (first, second)]
    assert [sorted(place) for place in places] == [["/data/prices", RESULT_VOLUME]] * 2
    assert there(engine) - before == {place[RESULT_VOLUME] for place in places}
    assert len(there(engine) - before) == 2
    for one in (first, second):
        runner.remove(one.id)
    assert there(engine) == before


def test_what_was_created_and_never_started_leaves_no_volume(jobs, engine, demo):
    before = there(engine)
    with pytest.raises(StageInvalid):
        jobs.start(jobs.run("true", stage=replace(demo, working_dir="/etc/passwd")))
    assert there(engine) == before


@BOTH_WAYS
def test_a_stage_that_declares_it_writes_to_its_image(jobs, demo):
    writer = replace(demo, name="writer", docker=replace(demo.docker, read_only=False))
    job = jobs.run(TO_ITS_IMAGE, identity=jobs.identity(stage="writer"), stage=writer)
    assert DockerRunner().tail(jobs.ended(job, stage="writer").id) == ["x"]
    result = jobs.python(writes("1"), stage=writer, identity=jobs.identity(stage="writer", group=4))
    one = jobs.ended(result, stage="writer", group=4)
    assert DockerRunner().result(one.id, "writer") == b"1"
    assert RESULT_PATH in "".join(DockerRunner().environment(one.id).values())


def test_another_stage_does_not(jobs, demo):
    one = jobs.ended(jobs.run(TO_ITS_IMAGE))
    assert "Read-only file system" in DockerRunner().tail(one.id)[0]
    said = (
        "Docker refused stage demo: .* must have .*ReadonlyRootfs.*the stages declare read_only=False: writer"
    )
    with pytest.raises(StageInvalid, match=said):
        jobs.start(
            jobs.run(
                TO_ITS_IMAGE,
                stage=replace(demo, docker=replace(demo.docker, read_only=False)),
                identity=jobs.identity(group=4),
            ),
            group=4,
        )
