"""Served by Airflow's API server: gives DAGs the batches that were lost on the way to them."""

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
    """For how many days back."""

    days: Annotated[float, Field(gt=0)]


class RepairAnswer(BaseModel):
    """What was lost; the scheduler makes runs of it."""

    repaired: list[Repair]


# who may trigger a DAG may do this
@router.post(
    REPAIR,
    dependencies=[
        Depends(requires_access_dag("POST", DagAccessEntity.RUN)),
        Depends(action_logging("repair_joins")),
    ],
)
def repair_joins(request: RepairRequest) -> RepairAnswer:  # no coroutine: FastAPI runs it in a thread
    """Give each consumer the published batches that it lacks; safe to repeat."""
    consumers = [dag_id for one in pipelines() for dag_id in one.consumers]
    with create_session() as session:
        since = datetime.now(UTC) - timedelta(days=request.days)
        return RepairAnswer(repaired=repair(consumers, since, session))
