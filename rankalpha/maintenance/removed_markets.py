"""Removes what Airflow keeps of a market or variant whose table is no longer in the file of the markets.

Airflow itself hides such a market: its DAGs are stale and its datasets are not active. Its pools are removed
at the next start of the stack. Its DAGs and datasets, with runs and events, are removed once its newest run
is older than RANKALPHA_KEEP_METADATA_DAYS, so that a table that comes back in time has its history again.
Nothing is removed while a run of the market has not ended. The market's data on its volumes stay.
A removed variant is a removed market here, because its names are like those of one.
"""

import logging
import re
from collections.abc import Iterator
from datetime import datetime

from airflow.api.common.delete_dag import delete_dag
from airflow.models.asset import AssetEvent, AssetModel, AssetPartitionDagRun, PartitionedAssetKeyLog
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.pool import Pool
from airflow.sdk import DagRunState
from airflow.utils.session import create_session
from sqlalchemy import delete, false, or_, select
from sqlalchemy.orm import Session

from rankalpha.pipeline.market import DEFAULT, STAGE_POOL, Market
from rankalpha.pipeline.markets import challengers, markets
from rankalpha.pipeline.steps import EVERY

log = logging.getLogger(__name__)

UNFINISHED = (DagRunState.QUEUED, DagRunState.RUNNING)
TAG = "rankalpha"  # of all our DAGs
DAG_ID = re.compile(rf"rankalpha_(?:(\w+)_)?(?:{'|'.join(step.name for step in EVERY)})")


def remove_pools() -> list[str]:
    """Remove the pools of removed markets, and those of stages that share the common pool again.

    Returns the names of the removed pools. Safe to repeat.
    """
    with create_session() as session:
        return _remove_pools(session)


def _remove_pools(session: Session) -> list[str]:
    idle = (market for market in markets() if _is_idle(market, session))
    unused = {_own_pool(market) for market in (*_removed(session), *idle)}
    unused -= {STAGE_POOL, *(market.pool for market in (*markets(), *challengers()))}
    found = session.scalars(select(Pool).where(Pool.pool.in_(unused)).order_by(Pool.pool)).all()
    for pool in found:
        session.delete(pool)
    names = [str(pool.pool) for pool in found]
    if names:
        log.info("Removed pools that no market has any more: %s", ", ".join(names))
    return names


def forget_removed(before: datetime, session: Session) -> dict[str, int]:
    """Remove the DAGs and datasets of removed markets without a run since `before`; `session` commits.

    Returns how many DAGs and datasets (`dag` and `asset`) went. Safe to repeat.
    """
    count = {"dag": 0, "asset": 0}
    for market in _removed(session, since=before):
        dag_ids = _dag_ids(market)
        of_market = AssetPartitionDagRun.target_dag_id.in_(dag_ids)
        joins = select(AssetPartitionDagRun.id).where(of_market)
        key_log = PartitionedAssetKeyLog
        session.execute(delete(key_log).where(key_log.asset_partition_dag_run_id.in_(joins)))
        session.execute(delete(AssetPartitionDagRun).where(of_market))
        known = session.scalars(select(DagModel.dag_id).where(DagModel.dag_id.in_(dag_ids))).all()
        for dag_id in known:
            delete_dag(dag_id, session=session)
        names = [market.dataset_name(step.writes) for step in EVERY]
        in_group = (AssetModel.name.in_(names), AssetModel.group == TAG)
        assets = session.scalars(select(AssetModel.id).where(*in_group)).all()
        session.execute(delete(AssetEvent).where(AssetEvent.asset_id.in_(assets)))
        session.execute(delete(AssetModel).where(AssetModel.id.in_(assets)))  # what refers to it goes along
        count["dag"] += len(known)
        count["asset"] += len(assets)
    return count


def _removed(session: Session, since: datetime | None = None) -> Iterator[Market]:
    """Yield the markets that Airflow knows and the file does not name, and whose runs have ended.

    With `since`, only those whose DAGs Airflow has stopped parsing and that had no run since then.
    """
    ours = select(DagTag.dag_id).where(DagTag.name == TAG)
    dags = select(DagModel.dag_id, DagModel.is_stale).where(DagModel.dag_id.in_(ours))
    stale = {dag_id: is_stale for dag_id, is_stale in session.execute(dags) if DAG_ID.fullmatch(dag_id)}
    names = {match[1] or DEFAULT for match in map(DAG_ID.fullmatch, stale) if match}
    known = {market.name for market in markets()} | {challenger.own for challenger in challengers()}
    for name in sorted(names - known):
        market = Market(name=name)
        parsed = [dag_id for dag_id in _dag_ids(market) if not stale.get(dag_id, True)]
        if not _is_idle(market, session, since):
            log.info("Market %s is not in the file of the markets, but has runs: it stays", name)
        elif since is None or not parsed:
            yield market


def _is_idle(market: Market, session: Session, since: datetime | None = None) -> bool:
    """Tell whether all runs of a market have ended, with `since` before that moment."""
    late = DagRun.run_after >= since if since else false()
    busy = or_(DagRun.state.in_(UNFINISHED), late)
    runs = select(DagRun.id).where(DagRun.dag_id.in_(_dag_ids(market)), busy)
    return session.scalar(runs.limit(1)) is None


def _dag_ids(market: Market) -> list[str]:
    return [market.dag_id(step.name) for step in EVERY]


def _own_pool(market: Market) -> str:
    """Return the pool that a market's stages have when its table has the key `slots`."""
    return market.model_copy(update={"slots": 1}).pool
