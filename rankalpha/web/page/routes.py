"""Served by Airflow's API server: what the operators' page shows, read with the rights of its user.

All routes ask Airflow's public API with the caller's own token, so that Airflow decides who may see what.
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
from rankalpha.health.comparison import comparison
from rankalpha.health.overview import overview
from rankalpha.lineage.batch import batch_lineage
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.challenger import challengers_of
from rankalpha.pipeline.pipelines import Pipeline, pipelines
from rankalpha.settings import SettingsError, settings
from rankalpha.texts import shown

MOST_DAYS = 90
MOST_COMPARED = 100
KEY = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"
# what each button of the page does by the public API, itself or by `rankalpha.web.page.publish_routes`
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
    """Return a client of the public API with the caller's own token, read from where Airflow reads it."""
    return AirflowApi.with_token(settings().airflow_url, collect_request_tokens(request, bearer)[0])


def chosen(market: Annotated[str | None, Query()] = None) -> Pipeline:
    """Return the pipeline of a market, by default of the first.

    404 with the names of all markets when there is none of that name, 500 when their file cannot be used.
    """
    try:
        known = {pipeline.market.name: pipeline for pipeline in pipelines()}
    except SettingsError as error:
        raise HTTPException(status.HTTP_500_INTERNAL_SERVER_ERROR, str(error)) from error
    if market and market not in known:
        reason = f"There is no market {shown(market)}. It may have been removed."
        raise HTTPException(status.HTTP_404_NOT_FOUND, {"reason": reason, "markets": list(known)})
    return known[market] if market else pipelines()[0]


Caller = Annotated[AirflowApi, Depends(caller)]
Chosen = Annotated[Pipeline, Depends(chosen)]


@router.get("/overview")
def read_overview(
    response: Response,
    user: GetUserDep,
    api: Caller,
    pipeline: Chosen,
    days: Annotated[float, Query(gt=0, le=MOST_DAYS)] = 3,
) -> dict[str, Any]:  # no coroutine: FastAPI runs it in a thread, because it waits for this very server
    """Return a market's overview (`rankalpha.health.overview`), the `markets`, the `user` and the rights.

    `variants` are the names of the market's own. `ranking` is the address of the ranking page, empty where it
    is not known.
    """
    response.headers["Cache-Control"] = "no-store"
    # before the rights are read, so that no connection to the database is held meanwhile
    seen = answer(lambda: overview(api, days, pipeline))
    rights = {dag_id: [name for name in NEEDS if may(user, dag_id, name)] for dag_id in pipeline.dag_ids}
    names = [one.market.name for one in pipelines()]
    known = {"ranking": settings().ranking_url, "markets": names, "variants": list(pipeline.market.variants)}
    return {**seen, **known, "user": {"name": user.get_name(), "rights": rights}}


@router.get("/lineage/{batch}")
def read_lineage(
    response: Response, api: Caller, pipeline: Chosen, batch: Annotated[str, Path(pattern=KEY)]
) -> dict[str, Any]:
    """Return what a batch was made of, see `rankalpha.lineage.batch`."""
    response.headers["Cache-Control"] = "no-store"
    return answer(lambda: batch_lineage(api, batch, pipeline))


@router.get("/comparison/{variant}")
def read_comparison(
    response: Response,
    api: Caller,
    pipeline: Chosen,
    variant: str,
    batches: Annotated[int, Query(gt=0, le=MOST_COMPARED)] = 20,
) -> dict[str, Any]:
    """Return a variant's newest comparisons, see `rankalpha.health.comparison`; `batches` may be empty."""
    response.headers["Cache-Control"] = "no-store"
    challengers = {each.variant: each for each in challengers_of(pipeline.market)}
    if variant not in challengers:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"There is no variant {shown(variant)}. It may have been removed."
        )
    return answer(lambda: comparison(api, challengers[variant], batches) or {"batches": []})


def answer(
    question: Callable[[], dict[str, Any]], missing: int = status.HTTP_404_NOT_FOUND
) -> dict[str, Any]:
    """Return the answer; pass a refusal of the public API on, and raise 502 when it does not answer.

    `missing` is the status when there is no such batch.
    """
    try:
        return question()
    except BatchError as error:
        raise HTTPException(missing, str(error)) from error
    except AirflowApiError as error:
        raise HTTPException(error.status, str(error)) from error
    except requests.RequestException as error:
        raise HTTPException(
            status.HTTP_502_BAD_GATEWAY,
            f"Airflow's API at {settings().airflow_url} does not answer ({type(error).__name__}); "
            "RANKALPHA_AIRFLOW_URL must be the address of this very server",
        ) from error


def may(user: Any, dag_id: str, action: str) -> bool:
    """Return whether Airflow would let the user do what a button does."""
    manager, dag = get_auth_manager(), DagDetails(id=dag_id)
    return all(
        manager.is_authorized_dag(method=method, access_entity=entity, details=dag, user=user)
        for method, entity in NEEDS[action]
    )
