"""The joins of a challenger: Airflow's own scheduler code on PostgreSQL, without running tasks."""

from collections import Counter

import pytest

from tests.scheduler.joining import PRODUCERS, Pipeline, fresh_keys, publish_together

OWN = {
    "challenger_scores": "rankalpha_challenger_scoring",
    "challenger_grades": "rankalpha_challenger_grading",
}
FILE = '[default.variants.challenger]\nimages = {scorer = "rankalpha_scorer:2"}\n'


@pytest.fixture(scope="module")
def pipeline(airflow_db, tmp_path_factory):
    """The pipeline with a challenger, whose DAGs the database forgets in the end."""
    from rankalpha.pipeline.markets import markets
    from rankalpha.pipeline.pipelines import _by_dag, pipelines
    from rankalpha.settings import settings
    from rankalpha.stack.prepare import airflow

    def parse():
        for read in (settings, markets, pipelines, _by_dag):
            read.cache_clear()
        airflow("dags", "reserialize")

    path = tmp_path_factory.mktemp("variants") / "markets.toml"
    path.write_text(FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANKALPHA_MARKETS", str(path))
        for dataset, dag_id in OWN.items():
            patch.setitem(PRODUCERS, dataset, dag_id)
        parse()
        yield Pipeline()
    parse()
    forget()


def forget():
    """Remove the challenger's DAGs, datasets and pools, as maintenance does when its table is gone."""
    from datetime import UTC, datetime, timedelta

    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    from rankalpha.maintenance.removed_markets import forget_removed, remove_pools

    with create_session() as session:
        for model, values in ((DagModel, {"is_stale": True}), (DagRun, {"state": "success"})):
            ours = model.dag_id.startswith("rankalpha_challenger_")
            session.execute(update(model).where(ours).values(**values))
    assert remove_pools() == ["stages_challenger"]
    with create_session() as session:
        assert forget_removed(datetime.now(UTC) + timedelta(days=1), session) == {"dag": 3, "asset": 3}


def runs(step, keys):
    """How often a DAG of the challenger has a run of each batch."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = select(DagRun.partition_key).where(
            DagRun.dag_id == f"rankalpha_challenger_{step}",
            DagRun.partition_key.in_(keys),
            DagRun.run_type == "asset_triggered",
        )
        return Counter(session.scalars(found))


def test_champion_and_challenger_are_joined_by_the_same_batch_alone(pipeline):
    one, two = fresh_keys(2)
    pipeline.publish("prices", one)
    assert pipeline.tick() == []
    assert runs("scoring", [one]) == {one: 1}
    pipeline.publish("challenger_scores", one)
    pipeline.publish("sentiment", two)  # of another batch
    assert pipeline.tick() == []
    assert runs("grading", [one, two]) == {}
    pipeline.publish("sentiment", one)
    assert pipeline.tick() == []  # the champion still waits for its own scores
    assert runs("grading", [one, two]) == {one: 1}
    pipeline.publish("challenger_grades", one)
    pipeline.publish("scores", one)
    ((key, consumed),) = pipeline.tick()
    assert key == one
    assert {name for name, *_ in consumed} == {"scores", "sentiment"}
    assert runs("comparison", [one]) == {}
    pipeline.publish("grades", one)
    pipeline.tick()
    assert runs("comparison", [one, two]) == {one: 1}


def test_without_its_challenger_a_champion_is_graded(pipeline):
    (key,) = fresh_keys(1)
    pipeline.publish("prices", key)
    for half in ("scores", "sentiment"):
        pipeline.publish(half, key)
    assert [found for found, _ in pipeline.tick()] == [key]
    pipeline.publish("grades", key)
    pipeline.tick()
    assert runs("grading", [key]) == runs("comparison", [key]) == {}


def test_a_challenger_that_is_published_at_the_same_instant_loses_nothing(pipeline):
    """It has a pool of its own for its publications, so that nothing keeps its events apart."""
    keys = fresh_keys(20)
    for key in keys:
        publish_together(pipeline, key, assets=("scores", "challenger_scores", "sentiment"))
    assert Counter(key for key, _ in pipeline.tick("two")) == Counter(keys)
    assert runs("grading", keys) == Counter(keys)
    for key in keys:
        publish_together(pipeline, key, assets=("grades", "challenger_grades"))
    pipeline.tick("two")
    assert runs("comparison", keys) == Counter(keys)


def test_the_pools_of_a_variant_that_is_declared_stay(pipeline):
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from rankalpha.maintenance.removed_markets import remove_pools

    with create_session() as session:
        Pool.create_or_update_pool("stages_challenger", 1, "", False, session=session)
    assert remove_pools() == []
