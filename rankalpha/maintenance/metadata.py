"""Prunes Airflow's metadata database through the API server, because a task cannot reach the database."""

import logging
from datetime import UTC, datetime, timedelta

from airflow.sdk.exceptions import AirflowFailException

from rankalpha.settings import SettingsError, settings

log = logging.getLogger(__name__)

ANSWER_SECONDS = 15 * 60.0  # the first time there may be years to remove


def prune_metadata() -> None:
    """Ask the API server to remove rows older than RANKALPHA_KEEP_METADATA_DAYS.

    Raises requests.RequestException for a failure that a retry may solve, AirflowFailException for a refusal.
    """
    from rankalpha.airflow_api import (  # noqa: PLC0415  slow to load, and not for parsing
        OWN_ROUTES,
        PRUNE,
        AirflowApiError,
        admin_api,
    )

    if not (days := settings().keep_metadata_days):
        log.info("RANKALPHA_KEEP_METADATA_DAYS=0: all rows are kept")
        return
    before = datetime.now(UTC) - timedelta(days=days)
    try:
        answer = admin_api().post(OWN_ROUTES + PRUNE, {"before": before.isoformat()}, timeout=ANSWER_SECONDS)
    except (AirflowApiError, SettingsError) as error:
        raise AirflowFailException(
            f"{error}; RANKALPHA_ADMIN_USER and RANKALPHA_ADMIN_PASSWORD must be those of a user with the "
            "role Admin, and RANKALPHA_AIRFLOW_URL the address of this stack's own API server"
        ) from error
    if answer["before"] != answer["asked"]:
        log.warning(
            "Rows are kept since %s, because a run of then has not ended; end it, or let it finish",
            answer["before"],
        )
    deleted = ", ".join(f"{count} of {table}" for table, count in answer["deleted"].items() if count)
    log.info("Removed rows older than %s: %s", answer["before"], deleted or "none")
