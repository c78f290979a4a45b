"""Served by Airflow's API server: queues again the batches that a DAG has lost."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.utils.session import create_session
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from rankalpha.airflow_api import REPAIR
from rankalpha.joins.repair import Repair, repair
from rankalpha.pipeline.pipelines import pipelines

router = APIRouter()


class RepairRequest(BaseModel):
    """For how many days back to look for lost batches."""

    days: Annotated[float, Field(gt=0)]


class RepairAnswer(BaseModel):
    """The batches that were queued again; the scheduler makes runs of them."""

    repaired: list[Repair]


# needs the right to trigger DAGs
@router.post(
    REPAIR,
    dependencies=[
        Depends(requires_access_dag("POST", DagAccessEntity.RUN)),
        Depends(action_logging("repair_joins")),
    ],
)
def repair_joins(
    request: RepairRequest,
) -> RepairAnswer:  # not a coroutine, so that FastAPI runs it in a thread
    """Queue for each consumer the published batches that it lost; safe to repeat."""
    consumers = [dag_id for pipeline in pipelines() for dag_id in pipeline.consumers]
    with create_session() as session:
        since = datetime.now(UTC) - timedelta(days=request.days)
        return RepairAnswer(repaired=repair(consumers, since, session))
