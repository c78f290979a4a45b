"""Settings of what watches the pipeline and reports on it: watchdog, alerts, metrics and lineage events."""

from pydantic import Field, SecretStr

from rankalpha.settings.environment import A_CENTURY, MINUTES, Environment, OptionalUrl, SecretUrl


class WatchdogSettings(Environment):
    """How far the watchdog looks back, and what it regards as late."""

    watch_days: float = Field(
        default=3, gt=0, le=A_CENTURY, description="Days that the watchdog looks back for batches."
    )
    graded_within: int = Field(
        default=45,
        gt=0,
        le=MINUTES,
        description="Minutes after its start within which a batch must be graded.",
    )
    started_within: int = Field(
        default=15,
        gt=0,
        le=MINUTES,
        description="Minutes after 06:00 UTC within which the day's batch must have begun.",
    )
    finished_within: float = Field(
        default=30,
        gt=0,
        le=MINUTES,
        description="Minutes after it was queued within which a run of a stage or of grading must finish.",
    )


class ReportSettings(Environment):
    """Where alerts, metrics and lineage events go."""

    tell_graded: bool = Field(
        default=False, description="Report each graded batch too, through the channels of alerts."
    )
    alert_email: str = Field(
        default="",
        description="Comma-separated receivers of alerts, sent through the connection smtp_default.",
    )
    runbook_url: OptionalUrl = Field(
        default="",
        description="Address of the runbook that alerts link to; by default its path in the checkout.",
    )
    ranking_url: OptionalUrl = Field(
        default="",
        description="Address of the ranking page for people, to which the operators' page links.",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token of /rankalpha/metrics, which is off without a token."
    )
    openlineage: str = Field(
        default="",
        description="Where lineage events go: the URL of a server, or the absolute path of a file.",
    )
    openlineage_key: SecretStr = Field(
        default=SecretStr(""), description="API key of the server that receives the lineage events."
    )
    ping_url: SecretUrl = Field(
        default=SecretStr(""),
        description="URL called after each graded batch; an outside monitor notices its absence.",
    )
