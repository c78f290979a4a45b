"""The dataset `models`, of a market that trains alone: it is not loaded where none does."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, difference, reported

COUNT = {"type": "integer", "minimum": 0}
FIGURE = {"type": "number"}

MODELS_CONTRACT = Contract(
    owner="rankalpha",
    description="Models of forward returns, each with a card that says how good it is on unseen days",
    freshness=timedelta(days=32),  # one that was blocked, or that nobody wanted, is no reason for an alert
    details={
        "horizon": COUNT,  # sessions of the return that is foretold
        "folds": COUNT,
        "ic": FIGURE,  # mean rank IC on days that the model of a fold has not seen
        "t": FIGURE,  # the same in standard errors
        "formula_ic": FIGURE,  # of the scorer's formula, on the same days
        "champion_ic": FIGURE,  # of the champion, on the days that neither was fitted to; if there are enough
        "lead": FIGURE,  # by how much the model's is above that, on the same days
        "shuffled_ic": FIGURE,  # of models that were fitted to the returns of other days
        "shuffled_z": FIGURE,  # the same in standard errors
        "look_ahead": COUNT,  # features that are others without the prices after their day
        "not_finite": COUNT,  # predictions
        "untrusted": COUNT,  # types in the file that skops does not trust
    },
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        # chance alone reaches it in 1 of 44 trainings
        Check(name="rank IC", figure=reported("t"), least=2, unit="standard errors"),
        Check(name="rank IC above the formula's", figure=difference("ic", "formula_ic"), least=-0.02),
        Check(name="rank IC above the champion's", figure=reported("lead"), least=-0.02),
        # what it knows whatever the day: which symbols will have done well, for example
        Check(
            name="rank IC on shuffled days",
            figure=reported("shuffled_z"),
            least=-3,
            most=3,
            unit="standard errors",
        ),
        Check(name="features that look ahead", figure=reported("look_ahead"), most=0),
        Check(name="predictions that are not finite", figure=reported("not_finite"), most=0),
        Check(name="types that skops does not trust", figure=reported("untrusted"), most=0),
        # no real signal is that good
        Check(name="highest rank IC", figure=reported("ic"), most=0.3, severity="warn"),
    ),
)

MODELS = Asset(
    name="models",
    uri="rankalpha://models",
    group="rankalpha",
    extra=MODELS_CONTRACT.describe(),
)
