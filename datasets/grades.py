"""The dataset `grades`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, change, reported, share, surplus

COUNT = {"type": "integer", "minimum": 0}

GRADES_CONTRACT = Contract(
    owner="rankalpha",
    description="A to F grades of each stock, from scores and sentiment",
    freshness=timedelta(hours=26),
    details=dict.fromkeys("ABCDF", COUNT),  # how many stocks have each grade
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="symbols", figure=reported("symbols"), least=1),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        Check(name="grades beyond the rows", figure=surplus(), least=0, most=0),
        # grades that tell stocks apart: the reference API gives about 15 % an A and 10 % an F
        Check(name="share of A", figure=share("A", of=("rows",)), most=50, unit="%", severity="warn"),
        Check(name="share of F", figure=share("F", of=("rows",)), most=50, unit="%", severity="warn"),
        # what made the batch smaller was reported, and let through, at an earlier dataset
        Check(name="change of symbols", figure=change("symbols"), least=-20, unit="%", severity="warn"),
    ),
)

GRADES = Asset(name="grades", uri="rankalpha://grades", group="rankalpha", extra=GRADES_CONTRACT.describe())
