"""The task of `rankalpha_maintenance` that compares published data with the disk."""

import logging
import random
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from rankalpha.pipeline.batch import is_key
from rankalpha.settings import SettingsError
from rankalpha.texts import count

if TYPE_CHECKING:  # slow to load, and not for parsing
    from rankalpha.airflow_api import AirflowApi
    from rankalpha.pipeline.pipelines import Pipeline

log = logging.getLogger(__name__)

MOST = 5  # problems in a message
NEWEST = 20  # batches that a random one is chosen from; the services keep 30, unless they are told otherwise


def verify_versions() -> None:
    """Verify the newest batch of each market and another one, chosen at random.

    Raises AirflowFailException that names what is not as it was published, and for a refusal;
    ServiceError or requests.RequestException for a failure that a retry may solve.
    """
    from rankalpha.airflow_api import AirflowApiError, admin_api  # noqa: PLC0415  slow, and not for parsing
    from rankalpha.lineage.service import ServiceError  # noqa: PLC0415
    from rankalpha.pipeline.pipelines import pipelines  # noqa: PLC0415

    problems: list[str] = []
    unasked = None
    try:
        api = admin_api()
        for pipeline in pipelines():
            try:
                problems += _problems(api, pipeline)
            except ServiceError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    log.warning("Market %s: this API cannot verify versions: %s", pipeline.market.name, error)
                else:
                    unasked = error  # the other markets come first
    except (AirflowApiError, SettingsError) as error:
        raise AirflowFailException(str(error)) from error
    if problems:
        more = [f"and {len(problems) - MOST} more"] if len(problems) > MOST else []
        listed = "; ".join([*problems[:MOST], *more])
        raise AirflowFailException(f"published data were changed on the disk: {listed}")
    if unasked:
        raise unasked


def _problems(api: "AirflowApi", pipeline: "Pipeline") -> list[str]:
    """Return what of a market's newest batch, and of a random one, is not as it was published."""
    from rankalpha.lineage.verify import verify_batch  # noqa: PLC0415  slow to load, and not for parsing

    problems = []
    for key in _chosen(api, pipeline):
        verdicts = verify_batch(api, pipeline, key)
        found = [problem for verdict in verdicts for problem in verdict.problems]
        counts = f"{count(len(verdicts), 'version')}, {count(len(found), 'problem')}"
        log.info("Batch %s: %s", pipeline.market.named(key), counts)
        problems += found
    return problems


def _chosen(api: "AirflowApi", pipeline: "Pipeline") -> list[str]:
    """Return the newest batch that was published in prices, and one of those before it."""
    dataset = pipeline.steps[0].writes
    events = api.get("assets/events", name_prefix_pattern=dataset, order_by="-timestamp", limit=100)[
        "asset_events"
    ]
    keys = {event["partition_key"] for event in events if event["name"] == dataset}
    newest, *others = sorted((key for key in keys if key and is_key(key)), reverse=True)[:NEWEST] or [""]
    return [key for key in (newest, *random.sample(others, min(1, len(others)))) if key]
