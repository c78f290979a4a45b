"""The dataset `risks`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import reported

RISKS_CONTRACT = Contract(
    owner="rankalpha",
    description="How much the price of each stock varies",
    freshness=timedelta(hours=26),
    details={},
    checks=(Check(name="rows", figure=reported("rows"), least=1),),
)

RISKS = Asset(name="risks", uri="rankalpha://risks", group="rankalpha", extra=RISKS_CONTRACT.describe())
