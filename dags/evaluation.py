"""
# RankAlpha evaluation

Measures how well the grades have foretold returns: as published, and in a backtest of today's method.

- **Reads**: dataset `grades`, with the prices that these were made from
- **Writes**: dataset `evaluations`
- **Runs**: for each batch published in `grades`; and by hand, for the batch of the given partition key or,
  without one, the newest batch in `grades`. Nothing waits for it: a batch is graded without it.
- **Healthy when**: `show_evaluations` is green a few minutes after `publish_grades`, and the record tab of
  the ranking page shows the batch.
- **If it fails**: see the log of the red task. Fix the cause, then clear the task. The grades are not
  affected. The record misses nothing: the next evaluation reads the grades of older batches, too.
- **A warning of its contract** says that the grades may be bad: see *The record* in the documentation.
- **Running it again** is safe: each run writes a version of its own.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from datasets import EVALUATIONS, EVALUATIONS_CONTRACT, GRADES
from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.operators.service import ShowOperator
from rankalpha.pipeline.markets import markets_to_parse
from rankalpha.stages.evaluation import EVALUATION
from rankalpha.stages.grading import EVALUATION_SHOW

for market in markets_to_parse("evaluation"):
    grades = market.dataset(GRADES)
    with DAG(
        dag_id=market.dag_id("evaluation"),
        schedule=PartitionedAssetTimetable(assets=grades),
        catchup=False,
        max_active_runs=1,  # one container of this stage at a time
        default_args=default_args(optional=True),
        params=params(),
        deadline=deadline(),
        tags=["rankalpha", "evaluation", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        run_evaluation = StageOperator(
            task_id="run_evaluation", stage=EVALUATION.of(market), consumes=[grades]
        )
        publish_evaluations = PublishOperator(
            task_id="publish_evaluations",
            dataset=market.dataset(EVALUATIONS),
            contract=EVALUATIONS_CONTRACT,
        )
        show_evaluations = ShowOperator(
            task_id="show_evaluations",
            call=EVALUATION_SHOW.of(market),
            batch_from="run_evaluation",
            dataset=market.dataset(EVALUATIONS),
        )
        run_evaluation >> publish_evaluations >> show_evaluations
