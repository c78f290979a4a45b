"""The dataset `evaluations`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, change, reported

COUNT = {"type": "integer", "minimum": 0}
FIGURE = {"type": ["number", "null"]}  # null: not known, as before returns are in
SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
HORIZONS = (1, 5, 21, 63)  # sessions

EVALUATIONS_CONTRACT = Contract(
    owner="rankalpha",
    description="How well the grades have foretold returns: as published, and in a backtest",
    freshness=timedelta(hours=26),
    details={
        **{f"{kind}_gradings": COUNT for kind in ("live", "backtest")},
        **{
            f"{kind}_{name}_{horizon}": SHARE if name == "coverage" else FIGURE
            for kind in ("live", "backtest")
            for name in ("ic", "t", "high", "spread", "coverage")
            for horizon in HORIZONS
        },
        "surest_ic": FIGURE,  # the highest lower bound of any rank IC
        "drift": FIGURE,  # live above the backtest, in standard errors
        "unread": COUNT,  # older batches whose published grades cannot be read
        "pruned": COUNT,
    },
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="symbols", figure=reported("symbols"), least=1),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        # what follows says that the grades may be bad, and not that the evaluation is
        Check(name="change of rows", figure=change("rows"), least=0, unit="%", severity="warn"),
        Check(name="unread grades", figure=reported("unread"), most=0, severity="warn"),
        # below 0, all of the band is: with few periods it is wider than two standard errors
        Check(
            name="upper end of the live rank IC", figure=reported("live_high_21"), least=0, severity="warn"
        ),
        Check(
            name="upper end of the backtest's rank IC",
            figure=reported("backtest_high_21"),
            least=0,
            severity="warn",
        ),
        Check(
            name="drift from the backtest",
            figure=reported("drift"),
            least=-3,
            most=3,
            unit="standard errors",
            severity="warn",
        ),
        # no real signal is that good: a grade that knows the future looks like this
        Check(name="highest lower end of a rank IC", figure=reported("surest_ic"), most=0.3, severity="warn"),
        Check(
            name="live grades with returns",
            figure=reported("live_coverage_21"),
            least=0.9,
            severity="warn",
        ),
    ),
)

EVALUATIONS = Asset(
    name="evaluations",
    uri="rankalpha://evaluations",
    group="rankalpha",
    extra=EVALUATIONS_CONTRACT.describe(),
)
