"""Random histories of a batch: lineage is what was read, and what is published never changes."""

import hashlib
import json
import shutil
import sys
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings as own_settings
from tests.support.checkout import ROOT
from tests.support.figures import ALL
from tests.unit.rankalpha.support.together import Together, bytes_of

KEY = "2025-11-19T06:00:00"
READS = {"prices": (), "scores": ("prices",), "sentiment": ("prices",)}
STAGES = {"ingestion": "INGESTION", "scorer": "SCORER", "sentiment": "SENTIMENT"}
SCRIPT = ROOT / "tests" / "support" / "version_stage.py"
EXAMPLES = count()


@pytest.fixture
def world(app_dir, profile_dir, tmp_path, monkeypatch):
    """Stages that record what they read, and a folder of data for each example."""
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    (app_dir / "apps" / "sentiment").mkdir(parents=True)  # where sentiment is started
    for name, prefix in STAGES.items():
        command = f"{prefix}_COMMAND={sys.executable} -S {SCRIPT} {name}\n"
        (profile_dir / f"{name}.env").write_text(command)

    def begin():
        data = tmp_path / f"data{next(EXAMPLES)}"
        data.mkdir()
        monkeypatch.setenv("RANKALPHA_DATA_DIR", str(data))
        own_settings.cache_clear()
        return data, Together(monkeypatch)

    yield begin
    for container in ProcessRunner().containers({}):
        ProcessRunner().remove(container.id)


steps = st.tuples(
    st.sampled_from([*READS, "prices again by a person"]),
    st.sampled_from(["", "", "no rows", "anyway", "killed", "marked"]),
    st.sampled_from(["events", "hand", "cleared", "off", "trial"]),
)


@settings(
    max_examples=40 if ALL else 3,
    deadline=None,
    phases=[Phase.generate],  # a step takes a third of a second, so nothing is shrunk
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(steps, min_size=4, max_size=9))
def test_lineage_is_what_was_read_and_published_data_stay(world, history):
    data, airflow = world()
    for name in READS:  # a dataset that never had a version may have a stage that knows nothing of them
        airflow.run(name, KEY)
    seen: dict[str, bytes] = {}
    joined = {}
    for what, fault, how in history:
        if what not in READS:  # an earlier version becomes the published one again
            airflow.register("prices", *airflow.events["prices"][0])
            continue
        (data / "fault").write_text({"anyway": "no rows", "marked": "killed"}.get(fault, fault))
        # a run that waits has joined its events before what is published meanwhile
        events = joined.get(what, ())
        joined = {name: airflow.joined(*reads) for name, reads in READS.items() if reads}
        kind = how if events or how in ("off", "trial") else "hand"
        by_person = {"anyway": fault == "anyway", "marked": fault == "marked"}
        outcome, _ = airflow.run(what, KEY, how=kind, joined=events, **by_person)
        assert outcome == expected(fault, kind), airflow.error
        now = bytes_of(data)
        assert {name: now.get(name) for name in seen} == seen
        seen = of_published(airflow, now)
    check(airflow, data)
    shutil.rmtree(data)


def expected(fault, how):
    """What becomes of a run."""
    if fault == "killed":
        return "failed"
    if fault in ("no rows", "marked") and how != "trial":  # of which nothing is checked
        return "blocked"
    return "unpublished" if how in ("off", "trial") else "published"


def of_published(airflow, files):
    """The files of the versions that an event has named."""
    paths = {extra["version"]["path"] for events in airflow.events.values() for _, extra in events}
    return {name: content for name, content in files.items() if name.rpartition("/")[0] in paths}


def check(airflow, data):
    """Compare what each event says with what its stage has recorded, and with the disk."""
    journal = [json.loads(line) for line in (data / "journal").read_text().splitlines()]
    read = {entry["version"]: entry["read"] for entry in journal}
    assert len(read) == len(journal)  # no two containers have written one version
    known = {
        name: {extra["version"]["path"]: extra["version"] for _, extra in events}
        for name, events in airflow.events.items()
    }
    for name, reads in READS.items():
        for path, version in known[name].items():
            assert version["inputs"].keys() == set(reads) == read[path].keys()
            for dataset, recorded in version["inputs"].items():
                source = known[dataset][recorded["path"]]  # it was published
                assert (read[path][dataset]["path"], source["sha256"]) == tuple(recorded.values())
                assert read[path][dataset]["content"] == source["files"]["data"]["sha256"]
            content = Path(data, path, "data").read_bytes()
            assert hashlib.sha256(content).hexdigest() == version["files"]["data"]["sha256"]
