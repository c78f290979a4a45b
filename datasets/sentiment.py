"""The dataset `sentiment`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Contract

SENTIMENT_CONTRACT = Contract(owner="rankalpha", freshness=timedelta(hours=26))

SENTIMENT = Asset(
    name="sentiment",
    uri="rankalpha://sentiment",
    group="rankalpha",
    extra={
        "description": "News sentiment of the screeners' consensus names",
        **SENTIMENT_CONTRACT.describe(),
    },
)
