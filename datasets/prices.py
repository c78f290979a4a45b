"""The dataset `prices`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Contract

PRICES_CONTRACT = Contract(owner="rankalpha", freshness=timedelta(hours=26))

PRICES = Asset(
    name="prices",
    uri="rankalpha://prices",
    group="rankalpha",
    extra={
        "description": "Daily closing prices of each ranked stock and the screeners' appearances",
        **PRICES_CONTRACT.describe(),
    },
)
