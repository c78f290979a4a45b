"""The dataset `sentiment`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, change, reported, share

COUNT = {"type": "integer", "minimum": 0}
RATING = {"type": ["number", "null"]}  # null: not one symbol has headlines
MISSING = share("without_headlines", of=("symbols",))
UNRATED = share("unrated", of=("symbols",))
REASONS = (
    "feed_empty",
    "feed_missing",
    "feed_refused",
    "feed_unavailable",
    "feed_unreadable",
    "language",
    "model_refused",
    "model_malformed",
    "model_unavailable",
    "budget",
)

SENTIMENT_CONTRACT = Contract(
    owner="rankalpha",
    description="News sentiment of the screeners' consensus names",
    freshness=timedelta(hours=26),
    details={
        "analysed": COUNT,
        "reused": COUNT,
        "without_headlines": COUNT,
        "unrated": COUNT,  # the sum of the reasons; only there when it is not 0
        **{f"unrated_{reason}": COUNT for reason in REASONS},
        "input_tokens": COUNT,
        "output_tokens": COUNT,
        "cost_dollars": {"type": "number", "minimum": 0},
        "min_sentiment": RATING,
        "max_sentiment": RATING,
        "model": {"type": "string"},
        "pruned": COUNT,
    },
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="symbols", figure=reported("symbols"), least=1),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        Check(name="lowest sentiment", figure=reported("min_sentiment"), least=-1, most=1),
        Check(name="highest sentiment", figure=reported("max_sentiment"), least=-1, most=1),
        # a source of headlines that is down looks like no news: all symbols would be graded as neutral
        Check(name="symbols without headlines", figure=MISSING, most=90, unit="%"),
        Check(name="many symbols without headlines", figure=MISSING, most=50, unit="%", severity="warn"),
        # the same for symbols without a rating for any other reason
        Check(name="unrated symbols", figure=UNRATED, most=90, unit="%"),
        Check(name="many unrated symbols", figure=UNRATED, most=50, unit="%", severity="warn"),
        # the number of symbols on which the screeners agree differs from day to day
        Check(name="change of symbols", figure=change("symbols"), least=-50, unit="%", severity="warn"),
    ),
)

SENTIMENT = Asset(
    name="sentiment", uri="rankalpha://sentiment", group="rankalpha", extra=SENTIMENT_CONTRACT.describe()
)
