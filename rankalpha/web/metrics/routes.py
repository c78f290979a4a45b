"""Served by Airflow's API server: the metrics, for those who have the token of RANKALPHA_METRICS_TOKEN.

They have a token of their own, because Airflow's expire within a day and a scraper cannot sign in again. It
gives access to nothing else, and without it there are no metrics, in any profile.
"""

import hmac
import logging
from collections.abc import Callable
from http import HTTPStatus
from threading import Condition
from typing import Annotated, Any

import requests
from cachetools import TTLCache, cached
from fastapi import APIRouter, Depends, Header, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client.exposition import choose_encoder

from rankalpha.airflow_api import AirflowApi, AirflowApiError, admin_api
from rankalpha.health.overview import overviews
from rankalpha.settings import SettingsError, settings
from rankalpha.web.metrics.families import registry

METRICS = "/metrics"
KEPT_SECONDS = 15.0  # an overview takes about twenty requests; more scrapers do not cost more
log = logging.getLogger(__name__)
router = APIRouter()
Overviews = list[dict[str, Any]]


class Observer:
    """Sees the pipelines as the admin does, by one client that stays signed in."""

    def __init__(self) -> None:
        self._api: AirflowApi | None = None

    def overviews(self) -> Overviews:
        """Return the overviews of all markets; raises SettingsError, or as AirflowApi does."""
        self._api = self._api or admin_api()
        return overviews(self._api, settings().watch_days)


def kept(function: Callable[[], Overviews], seconds: float = KEPT_SECONDS) -> Callable[[], Overviews]:
    """Return the function with its result kept for some seconds.

    One thread calls it while others wait for the result; what it raises is not kept.
    """
    return cached(TTLCache(1, seconds), condition=Condition(), info=False)(function)


recent_overviews = kept(Observer().overviews)


def require_token(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> None:
    """Refuse a request without the token: 404 when none is set, 401 when it is another."""
    token = settings().metrics_token.get_secret_value()
    if not token:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, "there are no metrics, because RANKALPHA_METRICS_TOKEN is not set"
        )
    if not given or not hmac.compare_digest(given.credentials.encode(), token.encode()):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED,
            "this is not the token in RANKALPHA_METRICS_TOKEN",
            {"WWW-Authenticate": "Bearer"},
        )


@router.get(METRICS, dependencies=[Depends(require_token)])
def metrics(accept: Annotated[str, Header()] = "") -> Response:  # no coroutine: FastAPI runs it in a thread
    """Return the metrics in the text format that the header asks for; 503 when Airflow does not answer."""
    try:
        current = recent_overviews()
    except (requests.RequestException, AirflowApiError, SettingsError) as error:
        log.warning("No metrics: %s", error)
        raise HTTPException(
            HTTPStatus.SERVICE_UNAVAILABLE, "Airflow's API does not answer; see the API server's log"
        ) from error
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry(current)), media_type=content_type)
