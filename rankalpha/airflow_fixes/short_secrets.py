"""Keeps Airflow from warning that it cannot mask a short Variable, such as the limit `2g`.

Airflow 3.3.2 measures the value of every Variable before it asks whether its name is that of a secret, and a
task's log then begins with "Skipping masking for a secret as it's too short". What is masked stays the same.
"""

import logging

from rankalpha.airflow_fixes.fix import Fix, part

LOGGERS = (
    "airflow.sdk._shared.secrets_masker.secrets_masker",
    "airflow._shared.secrets_masker.secrets_masker",
)
WARNING = "Skipping masking for a secret as it's too short"


def apply() -> None:
    """Drop this one warning; to repeat it does no harm."""
    for name in LOGGERS:
        part(name, "SecretsMasker")
        logging.getLogger(name).addFilter(_is_another)


def _is_another(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(WARNING)


FIX = Fix(name="short_secrets", versions="3.3.2", apply=apply)
