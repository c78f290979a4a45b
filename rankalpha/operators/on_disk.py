"""Compares a version with the disk before it is published late or again: it may have been removed by then."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from airflow.sdk import Context

from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import pipeline_of
from rankalpha.pipeline.versions import VERSION, Version
from rankalpha.settings import SettingsError
from rankalpha.stages.grading import GRADING_REFRESH

SOON = timedelta(days=1)  # the services keep what nobody has published for a day at least


def is_late(context: Context) -> bool:
    """Return whether the stage may have written long ago what this task publishes."""
    return context["ti"].try_number > 1 or datetime.now(UTC) - context["dag_run"].run_after >= SOON


def problem_if_late(context: Context, result: Mapping[str, Any] | None, log: Any) -> str:
    """Say what of a result's version is not as it was sealed; an empty text when nothing is.

    Nothing is asked when the run is young and this is its first attempt, because its stage has just written
    it. Raises ServiceError, see `problem_on_disk`.
    """
    if not is_late(context):
        return ""
    pipeline = pipeline_of(context["ti"].dag_id)
    return problem_on_disk(pipeline.market, result, log) if pipeline else ""


def problem_on_disk(market: Market, result: Mapping[str, Any] | None, log: Any) -> str:
    """Say what of a result's version is not as it was sealed; an empty text when nothing is.

    An API that knows of no versions makes no difference. Raises ServiceError when it does not say.
    """
    from rankalpha.lineage.service import ServiceError  # noqa: PLC0415  slow to load, and not for parsing
    from rankalpha.lineage.verify import problems_of  # noqa: PLC0415

    try:
        version = Version.of((result or {}).get(VERSION), "its result")
        if version is None:
            return ""
        url = GRADING_REFRESH.of(market).profile().line("API_URL")
        return "; ".join(problems_of(url, market.folder, version.path, version.sha256))
    except (BatchError, SettingsError) as error:
        return str(error)
    except ServiceError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        log.warning("The version was not compared with the disk: %s", error)
        return ""
