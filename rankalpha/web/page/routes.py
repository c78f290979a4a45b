"""Served by Airflow's API server: what the operators' page shows, read with the rights of who looks at it.

Both routes ask Airflow's public API with the caller's own token, so that it decides who may see what.
"""

from collections.abc import Callable
from typing import Annotated, Any

import requests
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, bearer_scheme, collect_request_tokens
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response, status
from fastapi.security import HTTPAuthorizationCredentials

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.health.overview import overview
from rankalpha.lineage.batch import batch_lineage
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.pipelines import Pipeline, pipeline, pipelines
from rankalpha.settings import SettingsError, settings

MOST_DAYS = 90
KEY = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"
# what each button of the page asks the public API for
NEEDS: dict[str, list[tuple[ResourceMethod, DagAccessEntity]]] = {
    "rerun": [("POST", DagAccessEntity.RUN)],
    "publish": [("POST", DagAccessEntity.XCOM), ("PUT", DagAccessEntity.TASK_INSTANCE)],
}

router = APIRouter()


def caller(
    request: Request,
    _: GetUserDep,  # refuses who is not signed in
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_scheme)],
) -> AirflowApi:
    """Return a client of the public API with the caller's own token, taken from where Airflow takes it."""
    return AirflowApi.with_token(settings().airflow_url, collect_request_tokens(request, bearer)[0])


def chosen(market: Annotated[str | None, Query(max_length=100)] = None) -> Pipeline:
    """Return the pipeline of the market that is asked for, without one the first; 404 for an unknown one."""
    try:
        return pipeline(market) if market else pipelines()[0]
    except SettingsError as error:
        raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error


Caller = Annotated[AirflowApi, Depends(caller)]
Chosen = Annotated[Pipeline, Depends(chosen)]


@router.get("/overview")
def read_overview(
    response: Response,
    user: GetUserDep,
    api: Caller,
    one: Chosen,
    days: Annotated[float, Query(gt=0, le=MOST_DAYS)] = 3,
) -> dict[str, Any]:  # no coroutine: FastAPI runs it in a thread, for it waits for this very server
    """Return what `rankalpha.health.overview` does; the names of all `markets`; the `user` and rights."""
    response.headers["Cache-Control"] = "no-store"
    found = _asked(lambda: overview(api, days, one))  # first: no connection to the database is held meanwhile
    rights = {dag_id: [name for name in NEEDS if _may(user, dag_id, name)] for dag_id in one.dag_ids}
    names = [each.market.name for each in pipelines()]
    return {**found, "markets": names, "user": {"name": user.get_name(), "rights": rights}}


@router.get("/lineage/{batch}")
def read_lineage(
    response: Response, api: Caller, one: Chosen, batch: Annotated[str, Path(pattern=KEY)]
) -> dict[str, Any]:
    """Return where a batch came from, see `rankalpha.lineage`."""
    response.headers["Cache-Control"] = "no-store"
    return _asked(lambda: batch_lineage(api, batch, one))


def _asked(question: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer; a refusal of the public API is passed on, its trouble is a bad gateway."""
    try:
        return question()
    except BatchError as error:
        raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error
    except AirflowApiError as error:
        raise HTTPException(error.status, str(error)) from error
    except requests.RequestException as error:
        raise HTTPException(
            status.HTTP_502_BAD_GATEWAY,
            f"Airflow's API at {settings().airflow_url} does not answer ({type(error).__name__}); "
            "RANKALPHA_AIRFLOW_URL must be the address of this very server",
        ) from error


def _may(user: Any, dag_id: str, action: str) -> bool:
    """Tell whether Airflow would let the user do what a button does."""
    manager, dag = get_auth_manager(), DagDetails(id=dag_id)
    return all(
        manager.is_authorized_dag(method=method, access_entity=entity, details=dag, user=user)
        for method, entity in NEEDS[action]
    )
