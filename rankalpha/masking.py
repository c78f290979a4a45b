"""Secrets stay out of what is logged, stored and sent."""

import re
from collections.abc import Iterable, Mapping

from airflow.sdk.log import mask_logs, mask_secret

from rankalpha.texts import ERROR, cut

URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^:/@\s]*:([^@/\s]+)@", re.IGNORECASE)
SHORTEST_MASKED = 5  # characters; [logging] min_length_masked_secret


def masked(text: str) -> str:
    """Return a text without secrets.

    Airflow masks them in the log of a task, but not in the scheduler's output, where LocalExecutor also
    prints that log.
    """
    return str(mask_logs(None, "info", {"event": text})["event"])


def quoted(text: object) -> str:
    """Return the text of an error without secrets, cut to a length that suits a log or an alert."""
    return cut(masked(str(text)), ERROR)


def mask(env: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Keep secrets of a stage's environment out of the log, even if it prints them; `secrets` are keys."""
    # Airflow masks the values of keys that sound secret, and warns of a shorter value that it cannot mask it
    mask_secret({key: value for key, value in env.items() if len(value) >= SHORTEST_MASKED})
    mask_secret([env[key] for key in secrets if key in env])
    mask_secret([match[1] for value in env.values() if (match := URL_PASSWORD.match(value))])
