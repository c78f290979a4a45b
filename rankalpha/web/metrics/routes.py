"""Served by Airflow's API server: the metrics, for who has the token of RANKALPHA_METRICS_TOKEN.

A token of its own, since Airflow's expire within a day and a scraper cannot sign in again. It opens nothing
else, and without it there are no metrics, in no profile.
"""

import hmac
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from typing import Annotated, Any

import requests
from fastapi import APIRouter, Depends, Header, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client.exposition import choose_encoder

from rankalpha.airflow_api import AirflowApi, AirflowApiError, admin_api
from rankalpha.health.overview import overviews
from rankalpha.settings import SettingsError, settings
from rankalpha.web.metrics.families import registry

METRICS = "/metrics"
KEPT_SECONDS = 15.0  # an overview takes some twenty requests; scrapers, however many, cost no more than this
log = logging.getLogger(__name__)
router = APIRouter()


class Kept:
    """What `make` returns, made anew once it is older than KEPT_SECONDS; one thread makes it, others wait."""

    def __init__(self, make: Callable[[], list[dict[str, Any]]]) -> None:
        self._make = make
        self._lock = Lock()
        self._made = -KEPT_SECONDS
        self._kept: list[dict[str, Any]] = []

    def get(self) -> list[dict[str, Any]]:
        """Return it; raises what `make` raises, which is not kept."""
        with self._lock:
            if time.monotonic() - self._made >= KEPT_SECONDS:
                self._kept = self._make()
                self._made = time.monotonic()
            return self._kept


class Watched:
    """The pipelines as the admin sees them, by one client that stays signed in."""

    def __init__(self) -> None:
        self._api: AirflowApi | None = None

    def look(self) -> list[dict[str, Any]]:
        """Return the overviews; raises SettingsError, or as AirflowApi does."""
        self._api = self._api or admin_api()
        return overviews(self._api, settings().watch_days)


KEPT = Kept(Watched().look)


def holder(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> None:
    """Refuse who lacks the token: 404 when there is none, 401 for another one."""
    token = settings().metrics_token.get_secret_value()
    if not token:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no metrics: RANKALPHA_METRICS_TOKEN is not set")
    if not given or not hmac.compare_digest(given.credentials.encode(), token.encode()):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED, "not the token of the metrics", {"WWW-Authenticate": "Bearer"}
        )


@router.get(METRICS, dependencies=[Depends(holder)])
def metrics(accept: Annotated[str, Header()] = "") -> Response:  # no coroutine: FastAPI runs it in a thread
    """Return the metrics in the text format that is asked for; 503 when Airflow does not answer."""
    try:
        seen = KEPT.get()
    except (requests.RequestException, AirflowApiError, SettingsError) as error:
        log.warning("No metrics: %s", error)
        raise HTTPException(
            HTTPStatus.SERVICE_UNAVAILABLE, "Airflow's API does not answer; see the API server's log"
        ) from error
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry(seen)), media_type=content_type)
