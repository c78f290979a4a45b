"""The dataset `sentiment`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Contract

SENTIMENT = Asset(
    name="sentiment",
    uri="rankalpha://sentiment",
    group="rankalpha",
    extra={"description": "News sentiment of the screeners' consensus names", "partition": "batch"},
)

SENTIMENT_CONTRACT = Contract(owner="rankalpha", freshness=timedelta(hours=26))
