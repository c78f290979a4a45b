"""A dead man's switch: an outside monitor is told of each graded batch, and alerts when it hears nothing."""

import logging
from typing import Any

from rankalpha.settings import settings

log = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds, each of the tries
TRIES = 3


def ping(context: Any) -> None:
    """GET RANKALPHA_PING_URL, if it is set; an `on_success_callback`, which never fails its task.

    The URL is a secret: who knows it can report in our name. So no error is logged that may hold it.
    """
    import requests  # noqa: PLC0415  slow to load, and not for parsing
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed  # noqa: PLC0415

    if not (url := settings().ping_url.get_secret_value()):
        return
    trying = Retrying(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(TRIES),
        wait=wait_fixed(1),
        reraise=True,
    )
    try:
        trying(_get, url)
    except requests.RequestException as error:
        log.warning("RANKALPHA_PING_URL was not reached (%s): %s", type(error).__name__, _status(error))
    else:
        log.info("Told the monitor at RANKALPHA_PING_URL: task %s", context["ti"].task_id)


def _get(url: str) -> None:
    import requests  # noqa: PLC0415

    requests.get(url, timeout=TIMEOUT).raise_for_status()


def _status(error: Any) -> str:
    return "no answer" if error.response is None else f"it answered {error.response.status_code}"
