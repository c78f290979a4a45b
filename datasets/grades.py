"""The dataset `grades`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Contract

GRADES_CONTRACT = Contract(owner="rankalpha", freshness=timedelta(hours=26))

GRADES = Asset(
    name="grades",
    uri="rankalpha://grades",
    group="rankalpha",
    extra={
        "description": "A to F grades of each stock, from scores and sentiment",
        **GRADES_CONTRACT.describe(),
    },
)
