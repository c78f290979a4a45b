"""What Airflow keeps of a market that is no longer in the file of the markets."""

from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.steps import SHAPE

LONG_AGO, NOW = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)
GONE, KEPT = Market(name="gone", slots=2), Market(name="default")


@pytest.fixture
def known(airflow_db, monkeypatch):
    """Airflow knows a market that is gone, with a finished run of long ago; returns the ids of its DAGs."""
    from airflow.models.asset import AssetEvent, AssetModel, AssetPartitionDagRun
    from airflow.models.dag import DagModel, DagTag
    from airflow.models.dagrun import DagRun
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    from rankalpha.maintenance import removed_markets

    monkeypatch.setattr(removed_markets, "markets", lambda: (KEPT,))
    pipeline = Pipeline.of(GONE)
    with create_session() as session:
        for pool in (GONE.pool, KEPT.pool, "stages_of_somebody_else"):
            Pool.create_or_update_pool(pool, 1, "", False, session=session)
        bundle = session.get(DagModel, "rankalpha_scoring").bundle_name
        for step in pipeline.steps:
            tags = [DagTag(name=name, dag_id=step.dag_id) for name in ("rankalpha", "gone")]
            session.add(DagModel(dag_id=step.dag_id, bundle_name=bundle, is_stale=True, tags=tags))
            asset = AssetModel(name=step.writes, uri=f"rankalpha://gone/{step.output}", group="rankalpha")
            session.add(asset)
            session.flush()
            session.add(AssetEvent(asset_id=asset.id, partition_key="k"))
        join = AssetPartitionDagRun(target_dag_id=pipeline.grading, partition_key="k")
        run = DagRun(
            dag_id=pipeline.ingestion,
            run_id="old",
            run_type=DagRunType.MANUAL,
            run_after=LONG_AGO,
            state="success",
        )
        session.add_all([join, run])
    yield pipeline
    monkeypatch.setattr(removed_markets, "markets", lambda: (KEPT,))  # whatever the test has made of it
    with create_session() as session:
        session.get(DagModel, pipeline.ingestion) and removed_markets.forget_removed(NOW, session)


def change_run(pipeline, **values):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagRun).where(DagRun.dag_id == pipeline.ingestion).values(**values))


def forget(before=NOW - timedelta(days=90)):
    from airflow.utils.session import create_session

    from rankalpha.maintenance.removed_markets import forget_removed

    with create_session() as session:
        return forget_removed(before, session)


def rows(model, column, values):
    """How many rows hold one of some values."""
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        return session.scalar(
            select(func.count()).select_from(model).where(getattr(model, column).in_(values))
        )


def test_the_pools_of_a_removed_market_go_and_no_others(known):
    from airflow.models.pool import Pool

    from rankalpha.maintenance.removed_markets import remove_pools

    assert remove_pools() == ["stages_gone"]
    assert remove_pools() == []
    assert rows(Pool, "pool", ["stages", "stages_of_somebody_else", "default_pool"]) == 3


def test_a_market_with_a_run_that_has_not_ended_keeps_everything(known):
    from rankalpha.maintenance.removed_markets import remove_pools

    change_run(known, state="queued")
    assert remove_pools() == []
    assert forget() == {"dag": 0, "asset": 0}
    change_run(known, state="success")
    assert remove_pools() == ["stages_gone"]


def test_its_dags_and_datasets_go_with_its_last_run(known):
    from airflow.models.asset import AssetEvent, AssetModel, AssetPartitionDagRun
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun

    names = [step.writes for step in known.steps]
    others = [step.dag_id for step in Pipeline.of(KEPT).steps]
    change_run(known, run_after=NOW - timedelta(days=1))
    assert forget() == {"dag": 0, "asset": 0}, "a table that comes back has its history again"
    assert rows(DagModel, "dag_id", known.dag_ids) == len(SHAPE)
    events = rows(AssetEvent, "partition_key", ["k"])
    change_run(known, run_after=LONG_AGO)
    assert forget() == {"dag": len(SHAPE), "asset": len(SHAPE)}
    for model, column, values in (
        (DagModel, "dag_id", known.dag_ids),
        (DagRun, "dag_id", known.dag_ids),
        (AssetModel, "name", names),
        (AssetPartitionDagRun, "target_dag_id", known.dag_ids),
    ):
        assert rows(model, column, values) == 0
    assert rows(AssetEvent, "partition_key", ["k"]) == events - len(SHAPE)
    assert rows(DagModel, "dag_id", others) == len(SHAPE)
    assert rows(AssetModel, "name", [step.writes for step in SHAPE]) == len(SHAPE)
    assert forget() == {"dag": 0, "asset": 0}


def test_a_market_that_airflow_still_parses_stays(known):
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.get(DagModel, known.ingestion).is_stale = False
    assert forget() == {"dag": 0, "asset": 0}
    with create_session() as session:
        session.get(DagModel, known.ingestion).is_stale = True
    assert forget() == {"dag": len(SHAPE), "asset": len(SHAPE)}


def test_the_pool_of_a_market_that_shares_the_common_one_again_goes(known, monkeypatch):
    from rankalpha.maintenance import removed_markets

    monkeypatch.setattr(removed_markets, "markets", lambda: (KEPT, Market(name="gone")))
    assert removed_markets.remove_pools() == ["stages_gone"]
    assert forget() == {"dag": 0, "asset": 0}
