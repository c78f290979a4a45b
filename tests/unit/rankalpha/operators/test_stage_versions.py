"""Which versions a stage is given by its task, and what its result may say of its own."""

import json

import pytest
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.operators import given
from rankalpha.pipeline.batch import BATCHES_KEY
from rankalpha.pipeline.versions import VERSIONS_KEY, listed
from rankalpha.runners.failures import StageFailed
from rankalpha.settings import settings
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT, identity
from tests.unit.rankalpha.support.operator_helpers import run_task, task
from tests.unit.rankalpha.support.task_context import TaskInstance, published

OLDER = "2025-11-19T06:00:00"
SHOW = """
import json, os
given = {key: value for key, value in os.environ.items() if key.startswith("RANKALPHA_")}
path = "/".join(os.environ.get("RANKALPHA_OUTPUT", "").split("/")[-3:])
version = {"path": path, "sha256": "0c" * 32, "files": {}, "inputs": {}}
open("given.json", "w").write(json.dumps(given))
json.dump({**RESULT, "version": version}, open(os.environ["RANKALPHA_RESULT"], "w"))
"""


def version(batch=KEY, name="ingestion-1-1", folder="prices", **parts):
    return {"path": f"{folder}/{batch}/{name}", "sha256": "0a" * 32, "files": {}, "inputs": {}, **parts}


@pytest.fixture
def stores(monkeypatch):
    """The versions of the datasets that the task does not consume."""
    found = {}
    monkeypatch.setattr(given, "published_versions", lambda name: found.get(name, {}))
    return found


@pytest.fixture
def folder(app_dir, profile_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("RANKALPHA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    settings.cache_clear()
    (app_dir / "main.py").write_text(SHOW.replace("RESULT", repr(RESULT), 1))
    return app_dir


def prices(**stored):
    datasets = published(prices=[KEY])
    for store in datasets.values():
        store[VERSIONS_KEY] = stored
    return datasets


def seen(folder):
    return json.loads((folder / "given.json").read_text())


def run(consumed=None, ti=None, **parts):
    consumed = prices() if consumed is None else consumed
    return run_task(task(consumes=tuple(consumed), **parts), ti, asset_state_store=consumed)


def test_a_stage_is_given_a_folder_of_its_own_and_what_was_published(folder, stores, tmp_path):
    stores |= {"sentiment": {OLDER: version(OLDER, "sentiment-1-1", "company_reports")}}
    ti = run(prices(**{KEY: version()}), output="company_reports", earlier={"sentiment": 30}, prunes=True)
    env, root = seen(folder), tmp_path / "data"
    own = f"company_reports/{KEY}/{identity().version}"
    assert env["RANKALPHA_OUTPUT"] == f"{root}/{own}"
    assert env["RANKALPHA_INPUT_PRICES"] == f"{root}/prices/{KEY}/ingestion-1-1"
    assert env["RANKALPHA_INPUT_PRICES_SHA256"] == "0a" * 32
    path = f"company_reports/{OLDER}/sentiment-1-1"
    assert json.loads(env["RANKALPHA_EARLIER_SENTIMENT"]) == [[f"{root}/{path}", "0a" * 32]]
    assert json.loads(env["RANKALPHA_KEEP"]) == {"since": "", "versions": [path], "days": 7}
    assert ti.output["result"]["version"]["path"] == own


def test_a_second_attempt_writes_to_another_folder(folder, stores):
    (folder / "main.py").write_text(SHOW.replace("RESULT", repr(RESULT), 1) + "raise SystemExit(75)\n")
    folders = set()
    for number in (1, 2):
        ti = TaskInstance()
        ti.try_number = number
        with pytest.raises(StageFailed):
            run(ti=ti, output="company_reports")
        folders.add(seen(folder)["RANKALPHA_OUTPUT"])
    assert len(folders) == 2


def test_a_stage_that_takes_no_part_is_given_nothing(folder):
    own = SHOW.replace('"version": version', '"version": "1.2"')
    (folder / "main.py").write_text(own.replace("RESULT", repr(RESULT), 1))
    ti = run(prices(**{KEY: version()}))
    assert [key for key in seen(folder) if key.split("_")[1] in ("OUTPUT", "INPUT", "EARLIER", "KEEP")] == []
    assert ti.output["result"]["version"] == "1.2"


def test_an_input_without_a_version_is_left_out(folder, stores):
    run(output="company_reports")
    assert [key for key in seen(folder) if key.startswith("RANKALPHA_INPUT")] == []


def test_a_result_that_names_another_version_fails_at_once(folder, stores):
    (folder / "main.py").write_text(SHOW.replace("RESULT", repr(RESULT), 1).replace("[-3:]", "[-3:-1]", 1))
    with pytest.raises(AirflowFailException, match=r"breaks its schema: \$\.version\.path"):
        run(output="company_reports")


def test_an_event_with_a_version_that_cannot_exist_fails_at_once_and_nothing_runs(folder, stores):
    consumed = prices(**listed({}, KEY, version(path="../../etc")))
    assert next(iter(consumed.values()))[BATCHES_KEY] == [KEY]
    with pytest.raises(
        AirflowFailException, match=f"batch {KEY} in prices names a version that cannot exist"
    ):
        run(consumed, output="company_reports")
    assert not (folder / "given.json").exists()


def test_a_result_that_says_it_was_made_from_something_else_fails_at_once(folder, stores):
    lie = {"prices": {"path": f"prices/{KEY}/ingestion-9-1", "sha256": "0a" * 32}}
    code = SHOW.replace("RESULT", repr(RESULT), 1).replace('"inputs": {}', f'"inputs": {lie!r}')
    (folder / "main.py").write_text(code)
    with pytest.raises(AirflowFailException, match=r"but the stage was given prices/.*/ingestion-1-1"):
        run(prices(**{KEY: version()}), output="company_reports")
