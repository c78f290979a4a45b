"""
# RankAlpha comparison

Compares the grades of a variant, the challenger, with those of the champion, of the same batch.

- **Reads**: datasets `grades`, the champion's, and `challenger_grades`
- **Writes**: dataset `challenger_comparisons`
- **Runs**: for each batch published in both; again when either is published again. By hand: for the batch of
  the given partition key or, without one, the newest batch published in both. There is one such DAG for each
  variant that `datasets/markets.toml` declares, and none without.
- **Healthy when**: `publish_comparisons` is green soon after the challenger's `publish_grades`.
- **If it fails**: the log of `compare_grades` has the answer of RankAlpha's API. The champion's grades are
  not affected, and no batch waits for this. Fix the cause, then clear the task.
- **Running it again** is safe: the same grades give the same comparison.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.pipeline.markets import challengers_to_parse

if challengers := challengers_to_parse("comparison"):  # where no variant is declared, nothing of it is loaded
    from datasets import GRADES
    from datasets.comparisons import COMPARISONS, COMPARISONS_CONTRACT
    from rankalpha.operators import PublishOperator
    from rankalpha.operators.compare import CompareOperator
    from rankalpha.stages.grading import COMPARE

for market in challengers:
    champion, challenger = market.champion.dataset(GRADES), market.dataset(GRADES)
    with DAG(
        dag_id=market.dag_id("comparison"),
        schedule=PartitionedAssetTimetable(assets=champion & challenger),  # both grades of the same batch
        catchup=False,
        max_active_runs=1,
        default_args=default_args(market),
        params=params(),
        deadline=deadline(),
        tags=["rankalpha", "comparison", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        compare_grades = CompareOperator(
            task_id="compare_grades", call=COMPARE.of(market), consumes=[champion, challenger]
        )
        publish_comparisons = PublishOperator(
            task_id="publish_comparisons",
            dataset=market.dataset(COMPARISONS),
            contract=COMPARISONS_CONTRACT,
        )
        compare_grades >> publish_comparisons
