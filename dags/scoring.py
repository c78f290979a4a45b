"""
# RankAlpha scoring

Scores each stock's momentum, value and quality.

- **Reads**: dataset `prices`
- **Writes**: dataset `scores`
- **Runs**: for each batch published in `prices`, beside `rankalpha_sentiment`; and by hand, for the batch
  of the given partition key or, without one, the newest batch in `prices`.
- **Starts no container** when prices, image, command and settings are those of an earlier batch: that
  batch's version is published again. Clear `run_scorer`, or switch the param `reuse` off, to have it run.
- **Healthy when**: `publish_scores` is green a few minutes after `publish_prices`.
- **If it fails**: see the log of the red task. Fix the cause, then clear the task. Sentiment is not
  affected, and grading waits for this batch's scores. For a batch that the contract has blocked, clear
  `run_scorer`, or use *Publish anyway* on the page RankAlpha.
- **Running it again** is safe: each run writes a version of its own. A batch that has been graded is graded
  again, unless the run's param `publish` is off.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from datasets import PRICES, SCORES, SCORES_CONTRACT
from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.pipeline.markets import markets_to_parse
from rankalpha.stages.scorer import SCORER

for market in markets_to_parse("scoring"):
    prices = market.dataset(PRICES)
    with DAG(
        dag_id=market.dag_id("scoring"),
        schedule=PartitionedAssetTimetable(assets=prices),
        catchup=False,
        max_active_runs=1,  # one container of this stage at a time
        default_args=default_args(market),
        params=params(reuse=True),
        deadline=deadline(),
        tags=["rankalpha", "scoring", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        run_scorer = StageOperator(task_id="run_scorer", stage=SCORER.of(market), consumes=[prices])
        publish_scores = PublishOperator(
            task_id="publish_scores",
            dataset=market.dataset(SCORES),
            contract=SCORES_CONTRACT,
        )
        run_scorer >> publish_scores
