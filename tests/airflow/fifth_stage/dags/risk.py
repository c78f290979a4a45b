"""
# RankAlpha risk

Measures how much each stock's price varies.

- **Reads**: dataset `prices`
- **Writes**: dataset `risks`
- **Runs**: for each batch published in `prices`; and by hand, for the batch of the given partition key or,
  without one, the newest batch in `prices`.
- **Healthy when**: `publish_risks` is green some minutes after `publish_prices`.
- **If it fails**: see the log of the red task. Fix the cause, then clear it.
- **Running it again** is safe: a batch's risks are replaced.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable
from datasets.risks import RISKS, RISKS_CONTRACT
from rankalpha.stages.risk import RISK

from datasets import PRICES
from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.pipeline.markets import markets_to_parse

for market in markets_to_parse("risk"):
    prices = market.dataset(PRICES)
    with DAG(
        dag_id=market.dag_id("risk"),
        schedule=PartitionedAssetTimetable(assets=prices),
        catchup=False,
        max_active_runs=1,  # one container of this stage at a time
        default_args=default_args(market),
        params=params(),
        deadline=deadline(),
        tags=["rankalpha", "risk", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        run_risk = StageOperator(task_id="run_risk", stage=RISK.of(market), consumes=[prices])
        publish_risks = PublishOperator(
            task_id="publish_risks",
            dataset=market.dataset(RISKS),
            contract=RISKS_CONTRACT,
        )
        run_risk >> publish_risks
