"""
# RankAlpha sentiment

Reads the news on the screeners' consensus names: one short batch, then the container exits.

- **Reads**: dataset `prices` (with the screens that list each symbol)
- **Writes**: dataset `sentiment`
- **Runs**: for each batch published in `prices`, beside `rankalpha_scoring`; and by hand, for the batch of
  the given partition key or, without one, the newest batch in `prices`.
- **Starts no container** when prices, image, command and settings are those of an earlier batch of the same
  session: that batch's version is published again. Clear `run_ai_analysis`, or switch the param `reuse` off,
  to have it run.
- **Healthy when**: `publish_sentiment` is green within half an hour of `publish_prices`.
- **If it fails**: see the log of the red task. It names the feed or the language model that does not
  answer, or the setting to fix. A single symbol without headlines or rating fails nothing: the log warns.
  Fix the cause, then clear the task. Scoring is not affected, and grading waits for this batch's sentiment.
  For a batch that the contract has blocked, clear `run_ai_analysis`, or use *Publish anyway* on the page
  RankAlpha.
- **Running it again** is safe: each run writes a version of its own. A batch that has been graded is graded
  again, unless the run's param `publish` is off. It rates the headlines that the batch has seen, and a paid
  language model is not paid twice for them.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from datasets import PRICES, SENTIMENT, SENTIMENT_CONTRACT
from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.pipeline.markets import markets_to_parse
from rankalpha.stages.sentiment import SENTIMENT_ANALYSIS

for market in markets_to_parse("sentiment"):
    prices = market.dataset(PRICES)
    with DAG(
        dag_id=market.dag_id("sentiment"),
        schedule=PartitionedAssetTimetable(assets=prices),
        catchup=False,
        max_active_runs=1,  # one container of this stage at a time
        default_args=default_args(market),
        params=params(reuse=True),
        deadline=deadline(),
        tags=["rankalpha", "sentiment", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        run_ai_analysis = StageOperator(
            task_id="run_ai_analysis", stage=SENTIMENT_ANALYSIS.of(market), consumes=[prices]
        )
        publish_sentiment = PublishOperator(
            task_id="publish_sentiment",
            dataset=market.dataset(SENTIMENT),
            contract=SENTIMENT_CONTRACT,
        )
        run_ai_analysis >> publish_sentiment
