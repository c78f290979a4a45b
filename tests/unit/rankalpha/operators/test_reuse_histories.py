"""Random histories of batches whose prices may be the same: what is used again, graded, and on record."""

import hashlib
import json
import shutil
from contextlib import contextmanager
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.figures import ALL
from tests.support.version_api import VersionApi
from tests.unit.rankalpha.support.reuse_world import ingest, reuse_world, run
from tests.unit.rankalpha.support.together import bytes_of

KEYS = [f"2025-11-{day}T06:00:00" for day in (21, 22, 23, 24)]
EXAMPLES = count()

steps = st.tuples(
    st.sampled_from(KEYS),
    st.sampled_from("bc"),  # the prices
    st.sampled_from(["events", "events", "events", "hand", "cleared", "reuse off", "publish off"]),
)


@pytest.fixture
def world(app_dir, profile_dir, tmp_path, monkeypatch):
    """A folder of data for each example."""

    @contextmanager
    def begin():
        data = tmp_path / f"data{next(EXAMPLES)}"
        data.mkdir()
        with VersionApi(data).serve() as (url, _):
            monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
            with reuse_world(app_dir, profile_dir, data, monkeypatch) as made:
                yield made

    return begin


@settings(
    max_examples=60 if ALL else 2,
    deadline=None,
    phases=[Phase.generate],  # a step takes a second, so nothing is shrunk
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=st.lists(steps, min_size=6, max_size=12))
def test_a_version_is_used_again_exactly_when_it_was_made_of_the_same(world, history):
    with world() as airflow:
        (airflow.data / "more").write_text(json.dumps({"as_of": "2025-11-20"}))  # of all prices
        model: dict[str, tuple[str, str]] = {}  # content and version of each batch's published scores
        for number, (key, content, how) in enumerate(history):
            ingest(airflow, key, content, name=f"ingestion-{number}-1")
            before = journal(airflow)
            published = run(airflow, key, **options(how))
            after = journal(airflow)
            # what has not run was there: made of the same by a batch that still has it, for a new batch
            there = {path for made_of, path in model.values() if made_of == content and current(model, path)}
            fresh = key not in model and how not in ("cleared", "reuse off")
            assert (len(after) == len(before)) == (fresh and bool(there))
            if how == "publish off":
                assert published == "unpublished"
                continue
            path = published["version"]["path"]
            model[key] = (content, path)
            assert after[path]["prices"]["content"] == hashlib.sha256(content.encode()).hexdigest()
            assert published["batch"] == key
            assert published.get("reused_from", key) == path.split("/")[1]
            assert (path in there) == (len(after) == len(before))
            graded(airflow, key, published)
        assert len(airflow.events["grades"]) == len(airflow.events["scores"])
        unchanged(airflow)
        shutil.rmtree(airflow.data)


def graded(airflow, key, scores):
    """Grade a batch by the events of its halves: once, and of what they say."""
    sentiment = run(airflow, key, "sentiment")
    run(airflow, key, "grades", joined=airflow.joined("scores", "sentiment"))
    batch, extra = airflow.events["grades"][-1]
    read = journal(airflow)[extra["version"]["path"]]
    halves = {"scores": scores["version"], "sentiment": sentiment["version"]}
    assert batch == key
    for name, version in halves.items():
        recorded = extra["version"]["inputs"][name]["path"]
        assert recorded == read[name]["path"] == version["path"]
        assert read[name]["content"] == version["files"]["data"]["sha256"]


def options(how):
    """How a run is told so."""
    return {"reuse off": {"reuse": False}, "publish off": {"how": "off"}}.get(how, {"how": how})


def journal(airflow):
    """What each container has read, by the version that it has written."""
    file = airflow.data / "journal"
    lines = file.read_text().splitlines() if file.exists() else []
    return {entry["version"]: entry["read"] for entry in map(json.loads, lines)}


def current(model, path):
    """Whether the batch that has made a version still has it."""
    maker = path.split("/")[1]
    return maker not in model or model[maker][1] == path


def unchanged(airflow):
    """Compare the published versions with the disk."""
    files = bytes_of(airflow.data)
    for _, extra in airflow.events["scores"]:
        content = files[f"{extra['version']['path']}/data"]
        assert hashlib.sha256(content).hexdigest() == extra["version"]["files"]["data"]["sha256"]
