"""The versions of a dataset's batches in its state store, which tasks read."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from rankalpha.pipeline.reuse import REUSABLE_KEY
from rankalpha.pipeline.versions import VERSIONS_KEY
from tests.scheduler.joining import Pipeline, fresh_keys

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


def version(key, name):
    made_from = {"prices": {"path": f"prices/{key}/ingestion-1-1", "sha256": "0b" * 32}}
    return {"path": f"prices/{key}/{name}", "sha256": "0a" * 32, "files": {}, "inputs": made_from}


def stored(asset, name=VERSIONS_KEY):
    from airflow.models.asset import AssetModel
    from airflow.state import AssetScope, get_state_backend
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        model = session.scalar(select(AssetModel).where(AssetModel.name == asset))
        text = get_state_backend().get(AssetScope(asset_id=model.id), name, session=session)
        return json.loads(text)


def test_a_batch_has_the_version_of_its_newest_event(pipeline):
    key, other, _ = fresh_keys()
    for name, batch in (("scorer-1-1", key), ("scorer-2-1", other), ("scorer-3-1", key)):
        pipeline.publish("scores", batch, extra={"version": version(batch, name)})
    found = stored("scores")
    assert (found[key]["path"], found[other]["path"]) == (
        f"prices/{key}/scorer-3-1",
        f"prices/{other}/scorer-2-1",
    )
    assert found[key]["inputs"] == {"prices": f"prices/{key}/ingestion-1-1"}


@pytest.mark.parametrize("extra", [None, {}, {"version": "1.2"}])
def test_an_event_without_a_version_takes_it_away(pipeline, extra):
    key, *_ = fresh_keys()
    pipeline.publish("scores", key, extra={"version": version(key, "scorer-1-1")})
    pipeline.publish("scores", key, extra=extra)
    assert key not in stored("scores")


def test_what_can_be_used_again_is_kept_with_what_it_was_made_by(pipeline):
    key, *_ = fresh_keys()
    made = {"version": version(key, "scorer-1-1"), "rows": 3}
    pipeline.publish("scores", key, extra={**made, "batch": key, "checks": [], "made_by": "0c" * 32})
    assert stored("scores", REUSABLE_KEY)[key] == {"made_by": "0c" * 32, "result": made}
    pipeline.publish("scores", key, extra=made)  # by a person
    assert stored("scores", REUSABLE_KEY)[key] == {"result": made}


def test_versions_that_are_published_at_once_are_all_kept(pipeline):
    keys = fresh_keys(4)
    barrier = threading.Barrier(len(keys))

    def publish(key):
        pipeline.publish("scores", key, barrier=barrier, extra={"version": version(key, "scorer-1-1")})

    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(publish, keys))
    assert set(keys) <= stored("scores").keys()


@pytest.mark.parametrize(("read", "gradings"), [("ingestion-2-1", 1), ("ingestion-1-1", 0)])
def test_a_cleared_run_that_has_read_the_newest_prices_is_not_outdated(pipeline, read, gradings):
    """Its run has joined the older prices; a repeated sentiment must not wait for other scores."""
    key, *_ = fresh_keys()
    prices = [
        pipeline.publish("prices", key, extra={"version": version(key, f"ingestion-{n}-1")}) for n in (1, 2)
    ]
    made = version(key, "scorer-1-1")
    made["inputs"]["prices"]["path"] = f"prices/{key}/{read}"
    for half, extra in (("sentiment", None), ("scores", {"version": made})):
        pipeline.publish(half, key, extra=extra, consumed=prices[:1])
    pipeline.tick()
    pipeline.publish("sentiment", key, consumed=prices[1:])
    assert [of for of, _ in pipeline.tick()] == [key] * gradings


def test_a_clock_that_is_set_back_lets_no_older_event_count(pipeline):
    """Airflow hands events over with their times alone: joins, lineage and health go by these."""
    key, *_ = fresh_keys()
    first = pipeline.publish("prices", key, extra={"version": version(key, "ingestion-1-1")})
    shift(first, minutes=10)  # it was published while the clock was wrong
    second = pipeline.publish("prices", key, extra={"version": version(key, "ingestion-2-1")})
    third = pipeline.publish("scores", key)
    assert moment(first) < moment(second) < moment(third)
    other, *_ = fresh_keys()
    assert moment(pipeline.publish("prices", other)) < moment(first)


def moment(event_id):
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        return session.get(AssetEvent, event_id).timestamp


def shift(event_id, **later):
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        session.get(AssetEvent, event_id).timestamp += timedelta(**later)
