"""The dataset `scores`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, change, reported, share

COUNT = {"type": "integer", "minimum": 0}
BEHIND = share("behind", of=("rows",))
MISSING = share("left_out", "stale", of=("symbols", "left_out", "stale"))

SCORES_CONTRACT = Contract(
    owner="rankalpha",
    description="Momentum, value and quality percentiles of each stock",
    freshness=timedelta(hours=26),
    details={
        "left_out": COUNT,  # symbols with too little history for any score
        "stale": COUNT,  # symbols that are no longer traded
        "behind": COUNT,  # scored symbols whose newest price is older than the newest of all
        "outside": COUNT,  # symbols that universe.csv lists, but not for this day; not there when 0
        "complete": COUNT,  # symbols with all three percentiles
        "min_score": {"type": "number"},
        "max_score": {"type": "number"},
        "model": {"type": "string"},  # of SCORER_MODEL, its folder; both are not there without that setting
        "without_model": COUNT,  # 1: the formula has scored, because there was no usable model
    },
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="symbols", figure=reported("symbols"), least=1),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        Check(name="lowest score", figure=reported("min_score"), least=0, most=100),
        Check(name="highest score", figure=reported("max_score"), least=0, most=100),
        Check(name="symbols not scored", figure=MISSING, most=50, unit="%"),
        Check(name="many symbols not scored", figure=MISSING, most=20, unit="%", severity="warn"),
        Check(name="scored by older prices", figure=BEHIND, most=20, unit="%", severity="warn"),
        Check(
            name="all three scores",
            figure=share("complete", of=("rows",)),
            least=50,
            unit="%",
            severity="warn",
        ),
        Check(
            name="scored by the formula instead of a model",
            figure=reported("without_model"),
            most=0,
            severity="warn",
        ),
        Check(name="change of symbols", figure=change("symbols"), least=-20, unit="%"),
    ),
)

SCORES = Asset(name="scores", uri="rankalpha://scores", group="rankalpha", extra=SCORES_CONTRACT.describe())
