"""Keeps FAB from logging each warning a second time, as text where the logs are to be JSON."""


def log_once() -> None:
    """Take from FAB's logger the handler that Airflow (3.3.2, 3.4.0b2) gives it besides the root's.

    It has no format: each warning would be logged a second time, as text where the logs are to be JSON. FAB
    configures the logs anew after this, hence in the configuration.
    """
    from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG  # noqa: PLC0415

    DEFAULT_LOGGING_CONFIG["loggers"]["flask_appbuilder"]["handlers"] = []
