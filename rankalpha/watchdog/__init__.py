"""The watchdog: where each batch stands, what is repaired by itself, and when a person is alerted."""

from airflow.sdk import Asset

from rankalpha.alerts.incident import STORE
from rankalpha.defaults import OWNER

INCIDENTS = Asset(
    name=STORE,
    uri=f"rankalpha://{STORE}",
    group="rankalpha",
    extra={
        "description": "Open incidents, in the state store of this asset; nothing is published in it",
        "owner": OWNER,
    },
)


def watch_batches() -> None:
    """Do a round of `rankalpha.watchdog.watch`, the task of `rankalpha_watchdog`."""
    from rankalpha.watchdog.watch import watch  # noqa: PLC0415  slow to load, and not for parsing

    watch()
