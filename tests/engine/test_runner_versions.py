"""A stage cannot write to the versions that it is given, on a real engine, whatever it tries."""

import json
from dataclasses import replace

import pytest

from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import StageInvalid
from tests.engine.stage_jobs import BOTH_WAYS, KEY, writes

pytestmark = pytest.mark.usefixtures("swept", "way")
OLDER = "2026-11-21T06:00:00"
READ, OTHER = f"/data/prices/{KEY}/ingestion-1-1", f"/data/prices/{OLDER}/ingestion-0-1"
OWN = f"/data/prices/{KEY}/demo-1-1"
MAKE = f"""
import os
for folder in ({READ!r}, {OTHER!r}):
    os.makedirs(folder, exist_ok=True)
    open(folder + "/data", "w").write("as published")
"""
BYTES = writes(f"[open(folder + '/data').read() for folder in ({READ!r}, {OTHER!r})]")
# each way to change a version, and how it ends
TRY = """
import errno, json, os, shutil
def ends(work, *arguments):
    try:
        work(*arguments)
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]
def write(path, mode):
    with open(path, mode) as file:
        file.write("changed")
found = {}
for name, folder in (("read", READ), ("other", OTHER)):
    found[name] = [
        ends(write, folder + "/data", "a"),
        ends(write, folder + "/new", "w"),
        ends(os.chmod, folder + "/data", 0o777),
        ends(os.remove, folder + "/data"),
        ends(os.rename, folder, folder + "-away"),
        ends(shutil.rmtree, folder),
    ]
if OWN:
    os.makedirs(OWN)
    found["own"] = [ends(write, OWN + "/data", "w"), ends(os.link, OWN + "/data", OWN + "/linked")]
json.dump(found, open(os.environ["RANKALPHA_RESULT"], "w"))
"""
READ_ONLY = ["EROFS"] * 6
BY_ROOT_OF_A_MOUNT = [*["EROFS"] * 4, "EBUSY", "EROFS"]  # its folder lies in one that can be written to


@pytest.fixture
def published(jobs):
    """Two versions in the volume of the stage; what they hold is read again in the end."""
    made = {"group": 1}
    jobs.ended(jobs.python(MAKE, identity=jobs.identity(**made)), **made)
    yield
    looks = {"group": 9}
    one = jobs.ended(jobs.python(BYTES, identity=jobs.identity(**looks)), **looks)
    assert json.loads(DockerRunner().result(one.id, "demo")) == ["as published"] * 2


def env(own, read=READ):
    """What a stage is given that reads one of the versions."""
    given = {"RANKALPHA_BATCH": KEY, "RANKALPHA_OUTPUT": own}
    return given | {"RANKALPHA_INPUT_PRICES": read, "RANKALPHA_INPUT_PRICES_SHA256": "0a" * 32}


def attempt(own=""):
    """Python that tries to change both versions, and writes its own."""
    return f"READ, OTHER, OWN = {READ!r}, {OTHER!r}, {own!r}\n{TRY}"


@BOTH_WAYS
def test_beside_its_output_a_stage_can_write_neither_to_its_input_nor_to_other_batches(
    jobs, demo, engine, published
):
    scorer = replace(demo, output="prices")
    found = json.loads(jobs.result(jobs.python(attempt(OWN), stage=scorer, env=env(OWN))))
    assert found == {"read": BY_ROOT_OF_A_MOUNT, "other": READ_ONLY, "own": ["done", "done"]}
    jobs.ended(  # the folder of its version is made anew by each test
        jobs.python(f"import shutil; shutil.rmtree({OWN!r})", identity=jobs.identity(group=7)), group=7
    )


@BOTH_WAYS
def test_a_volume_of_inputs_alone_cannot_be_written_to(jobs, demo, published):
    reports = replace(demo, output="reports")
    job = jobs.python(attempt(), stage=reports, env=env(f"/data/reports/{KEY}/demo-1-1"))
    assert json.loads(jobs.result(job)) == {"read": READ_ONLY, "other": READ_ONLY}


@pytest.mark.parametrize(
    "gone", [f"/data/prices/{KEY}/ingestion-9-1", "/data/prices/2026-01-01T06:00:00/x-1-1"]
)
def test_a_version_that_is_gone_is_named_before_anything_runs(jobs, demo, published, gone):
    scorer = replace(demo, output="prices")
    job = jobs.python("", stage=scorer, env=env(f"{gone.rpartition('/')[0]}/demo-1-1", gone))
    with pytest.raises(StageInvalid, match=f"{gone}: missing") as caught:
        jobs.start(job)
    assert "publish-version" in str(caught.value)
    assert DockerRunner().find(jobs.identity().name) is None


def test_a_result_whose_input_was_removed_meanwhile_is_not_taken(jobs, demo, published):
    scorer = replace(demo, output="prices")
    read = f"/data/prices/{KEY}/ingestion-2-1"
    makes = {"group": 2}
    jobs.ended(jobs.python(f"import os; os.makedirs({read!r})", identity=jobs.identity(**makes)), **makes)
    one = jobs.ended(jobs.python(writes("1"), stage=scorer, env=env(OWN, read)))
    removes = {"group": 5}
    jobs.ended(jobs.python(f"import os; os.rmdir({read!r})", identity=jobs.identity(**removes)), **removes)
    with pytest.raises(StageInvalid, match=f"{KEY}/ingestion-2-1: removed before the result was collected"):
        DockerRunner().result(one.id, "demo")
