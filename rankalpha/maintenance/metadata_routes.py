"""Served by Airflow's API server: removes old rows from the metadata database.

It keeps, whatever their age:

- the events of datasets, which the joins and the lists of batches are made of, and incomplete joins;
- the newest scheduled run of each DAG, from which Airflow computes the next;
- everything since the oldest run that has not ended.

What belongs to a removed market goes too, see `removed_markets`.
"""

from datetime import UTC, datetime
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.models.dagrun import DagRun
from airflow.sdk.timezone import coerce_datetime
from airflow.utils.db_cleanup import config_dict, run_cleanup
from airflow.utils.session import create_session
from fastapi import APIRouter, Depends
from pydantic import AfterValidator, AwareDatetime, BaseModel
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from rankalpha.airflow_api import PRUNE
from rankalpha.logs import printed_is_logged
from rankalpha.maintenance.removed_markets import UNFINISHED, forget_removed

KEPT = (
    "asset_event",  # see above; a few small rows for each batch
    "dag",  # after a long stop of the stack it would be removed, with its pause, before it is parsed again
    "trigger",  # the triggerer removes unused triggers, and an old trigger may be in use
)
ROWS_AT_ONCE = 10_000  # in a transaction

router = APIRouter()


def _past(moment: datetime) -> datetime:
    if moment > datetime.now(UTC):
        raise ValueError("lies in the future, which would remove everything")
    return moment


class PruneRequest(BaseModel):
    """Asks to remove the rows from before a moment."""

    before: Annotated[AwareDatetime, AfterValidator(_past)]


class PruneAnswer(BaseModel):
    """The removed rows; `before` is earlier than `asked` if a run from before `asked` has not ended."""

    asked: datetime
    before: datetime
    deleted: dict[str, int]  # rows by table, without rows that the database removes along with others


# of Airflow's own roles, only Admin may both delete runs and read the audit log
@router.post(
    PRUNE,
    dependencies=[
        Depends(requires_access_dag("DELETE", DagAccessEntity.RUN)),
        Depends(requires_access_dag("GET", DagAccessEntity.AUDIT_LOG)),
        Depends(action_logging("prune_metadata")),
    ],
)
def prune(request: PruneRequest) -> PruneAnswer:  # not a coroutine, so that FastAPI runs it in a thread
    """Remove old rows for good; safe to repeat, also after a request that was interrupted."""
    with create_session() as session:
        before = _until_unfinished(request.before, session)
        present = set(inspect(session.get_bind()).get_table_names())
        tables = [name for name in config_dict if name in present and name not in KEPT]
        counted = _older(tables, before, session)
    with printed_is_logged():  # it prints a line for each table
        run_cleanup(
            clean_before_timestamp=coerce_datetime(before),
            table_names=tables,
            skip_archive=True,
            confirm=False,
            batch_size=ROWS_AT_ONCE,
            error_on_cleanup_failure=True,
        )
    with create_session() as session:
        kept = _older(tables, before, session)
        deleted = {name: counted[name] - kept[name] for name in tables} | forget_removed(before, session)
    return PruneAnswer(asked=request.before, before=before, deleted=deleted)


def _until_unfinished(before: datetime, session: Session) -> datetime:
    """Return `before`, or the time of the oldest unfinished run, because Airflow would remove that run."""
    due = select(func.min(DagRun.run_after)).where(DagRun.state.in_(UNFINISHED))
    return min(before, session.scalar(due) or before)


def _older(tables: list[str], before: datetime, session: Session) -> dict[str, int]:
    """Count the rows of each table from before a moment, by the column that Airflow prunes by."""
    configs = ((name, config_dict[name]) for name in tables)
    return {
        name: session.scalar(
            select(func.count()).select_from(config.orm_model).where(config.recency_column < before)
        )
        or 0
        for name, config in configs
    }
