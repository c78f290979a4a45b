"""Settings of the maintenance: how long things are kept."""

from pydantic import Field

from rankalpha.settings.environment import A_CENTURY, HOURS, Environment


class KeepSettings(Environment):
    """How long containers, logs, metadata and versions are kept."""

    keep_failed_hours: float = Field(
        default=24,
        ge=0,
        le=HOURS,
        description="How long the container of a failed stage is kept for inspection.",
    )
    keep_log_days: int = Field(
        default=30, ge=0, le=A_CENTURY, description="Days that logs are kept; 0: for ever."
    )
    keep_metadata_days: int = Field(
        default=90,
        ge=0,
        le=A_CENTURY,
        description="Days that Airflow's database keeps runs and its audit log; 0: for ever.",
    )
    keep_unpublished_days: int = Field(
        default=7,
        ge=1,
        le=A_CENTURY,
        description="Days that versions are kept which no event names any more, or ever did.",
    )
