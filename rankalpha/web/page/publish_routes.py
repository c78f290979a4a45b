"""Served by Airflow's API server: publishes a blocked batch, for the page's button and for the command."""

from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel

from rankalpha.airflow_api import PUBLISH_ANYWAY
from rankalpha.settings import SettingsError
from rankalpha.web.page.publish_anyway import NotBlocked, publish_anyway
from rankalpha.web.page.routes import Caller, answer, chosen, may

router = APIRouter()


class Publication(BaseModel):
    """What is to be published: a batch in a dataset of a market, by default of the first, and why."""

    batch: str
    dataset: str
    reason: str
    market: str | None = None


@router.post(PUBLISH_ANYWAY)
def publish(wanted: Publication, user: GetUserDep, api: Caller) -> dict[str, Any]:
    """Publish a blocked batch once, on record, in the name of the caller; return its run.

    403 without the rights that it takes; 409, with the reason, when there is nothing to publish.
    """
    pipeline = chosen(wanted.market)
    try:
        step = pipeline.step_that_writes(wanted.dataset)
        if not may(user, step.dag_id, "publish"):
            raise HTTPException(
                status.HTTP_403_FORBIDDEN,
                f"You need the right to write XComs of {step.dag_id} and to clear its tasks to publish this "
                "anyway.",
            )
        by, reason = user.get_name(), wanted.reason
        return answer(
            lambda: publish_anyway(api, step, wanted.batch, reason, by), missing=status.HTTP_409_CONFLICT
        )
    except (NotBlocked, SettingsError) as error:
        raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from error
