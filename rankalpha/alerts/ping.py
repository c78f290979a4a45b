"""A dead man's switch: notifies an outside monitor of each graded batch; it alerts when it hears nothing."""

import logging
from typing import Any

from rankalpha.settings import settings

log = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds, each attempt
ATTEMPTS = 3


def ping(context: Any) -> None:
    """GET RANKALPHA_PING_URL, if it is set; an `on_success_callback`, which never fails its task.

    The URL is a secret, because whoever knows it can report in our name: no error that may hold it is logged.
    """
    import requests  # noqa: PLC0415  slow to load, and not for parsing
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed  # noqa: PLC0415

    if not (url := settings().ping_url.get_secret_value()):
        return
    retrying = Retrying(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_fixed(1),
        reraise=True,
    )
    try:
        retrying(_get, url)
    except requests.RequestException as error:
        reason = f"{type(error).__name__}: {_status(error)}"
        log.warning("The monitor at RANKALPHA_PING_URL could not be notified (%s)", reason)
    else:
        log.info("Notified the monitor at RANKALPHA_PING_URL (task %s)", context["ti"].task_id)


def _get(url: str) -> None:
    import requests  # noqa: PLC0415

    requests.get(url, timeout=TIMEOUT).raise_for_status()


def _status(error: Any) -> str:
    return "no answer" if error.response is None else f"it answered {error.response.status_code}"
