"""The dataset `scores`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Contract

SCORES_CONTRACT = Contract(owner="rankalpha", freshness=timedelta(hours=26))

SCORES = Asset(
    name="scores",
    uri="rankalpha://scores",
    group="rankalpha",
    extra={
        "description": "Momentum, value and quality percentiles of each stock",
        **SCORES_CONTRACT.describe(),
    },
)
