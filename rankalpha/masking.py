"""Secrets stay out of what is logged, stored and sent."""

import re
from collections.abc import Iterable, Mapping

from airflow.sdk.log import mask_logs, mask_secret

from rankalpha.texts import ERROR, cut

URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^:/@\s]*:([^@/\s]+)@", re.IGNORECASE)
SHORTEST_MASKED = 5  # characters; [logging] min_length_masked_secret


def masked(text: str) -> str:
    """Return a text without secrets.

    Airflow masks them in a task's log, but not in the scheduler's output, where LocalExecutor prints it too.
    """
    return str(mask_logs(None, "info", {"event": text})["event"])


def quoted(text: object) -> str:
    """Return the text of an error without secrets, and not longer than a log or an alert can bear."""
    return cut(masked(str(text)), ERROR)


def mask(env: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Keep secrets of a stage's environment out of the log, should it print them; `secrets` are keys."""
    # values of keys that sound secret; of any shorter value Airflow says that it cannot mask it
    mask_secret({key: value for key, value in env.items() if len(value) >= SHORTEST_MASKED})
    mask_secret([env[key] for key in secrets if key in env])
    mask_secret([found[1] for value in env.values() if (found := URL_PASSWORD.match(value))])
