"""Keeps FAB from logging each warning a second time, as text where the logs are JSON.

Airflow (3.3.2, 3.4.0b2) gives FAB's logger a handler besides the root logger's. That handler has no format.
"""

from rankalpha.airflow_fixes.fix import AbsentError, Fix, part

LOGGER = "flask_appbuilder"


def apply() -> None:
    """Remove the handler from Airflow's logging configuration, because FAB configures the logs after this."""
    loggers = part("airflow.config_templates.airflow_local_settings", "DEFAULT_LOGGING_CONFIG")["loggers"]
    if "handlers" not in loggers.get(LOGGER, {}):
        raise AbsentError(f"DEFAULT_LOGGING_CONFIG gives no handlers to {LOGGER}")
    loggers[LOGGER]["handlers"] = []


FIX = Fix(name="fab_log", versions="3.3.2, 3.4.0b2", apply=apply)
