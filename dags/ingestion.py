"""
# RankAlpha ingestion

Collects the day's prices and publishes them: every batch starts here.

- **Reads**: the price source that `env/<profile>/ingestion.env` names
- **Writes**: dataset `prices`
- **Runs**: daily at 06:00 UTC, at start-up of the stack, and by hand. A run that is triggered without a
  partition key starts a new batch at the present time; with a key (`2026-11-22T06:00:00`, UTC) it repeats
  that batch.
- **Healthy when**: `publish_prices` is green before 06:30 UTC and `rankalpha_scoring` and
  `rankalpha_sentiment` start by themselves.
- **If it fails**: the log of `run_ingestion` has the last lines of the container, the log of
  `publish_prices` the checks that failed. Fix the cause, then clear the failed task. Nothing downstream
  starts before prices are published. To publish a batch in spite of a failed check, use *Publish anyway* on
  the page RankAlpha.
- **Running it again** is safe: each run writes a version of its own, and what is published stays as it is
  until the new version is. Scores, sentiment and grades follow, unless the run's param `publish` is off.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronPartitionTimetable

from datasets import PRICES, PRICES_CONTRACT
from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.pipeline.markets import markets_to_parse
from rankalpha.stages.ingestion import INGESTION

for market in markets_to_parse("ingestion"):
    with DAG(
        dag_id=market.dag_id("ingestion"),
        schedule=CronPartitionTimetable(  # gives each run its batch key
            market.schedule,
            timezone="UTC",
            run_immediately=timedelta(0),  # at the very first start its consumers may not be parsed yet
        ),
        catchup=False,  # yesterday's prices come with today's
        max_active_runs=1,  # batches must not overtake each other
        default_args=default_args(),
        params=params(),
        deadline=deadline(),
        tags=["rankalpha", "ingestion", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        run_ingestion = StageOperator(task_id="run_ingestion", stage=INGESTION.of(market))
        publish_prices = PublishOperator(
            task_id="publish_prices",
            dataset=market.dataset(PRICES),
            contract=PRICES_CONTRACT,
        )
        run_ingestion >> publish_prices
