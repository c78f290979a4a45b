"""
# RankAlpha grading

Grades each stock A to F from a batch's scores and sentiment, then notifies the frontend.

- **Reads**: datasets `scores` and `sentiment`
- **Writes**: dataset `grades`
- **Runs**: for each batch published in both; again when either half of a graded batch is published again.
  By hand: for the batch of the given partition key or, without one, the newest batch published in both.
- **Healthy when**: `notify_frontend` is green before 06:45 UTC and the ranking page shows the batch.
- **If it fails**: the log of the red task has the answer of RankAlpha's API or frontend. When only
  `show_grades` or `notify_frontend` is red, the page does not show the published grades yet: clear it. For
  a blocked batch, clear `update_grading`, or use *Publish anyway* on the page RankAlpha.
- **Running it again** is safe: the same scores and sentiment give the same grades. With the run's param
  `publish` off, the API grades the batch, but nothing is published, shown or notified.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from datasets import GRADES, GRADES_CONTRACT, SCORES, SENTIMENT
from rankalpha.alerts.deadline import deadline
from rankalpha.alerts.graded import report_graded
from rankalpha.alerts.ping import ping
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator
from rankalpha.operators.service import ServiceOperator, ShowOperator
from rankalpha.pipeline.markets import markets_to_parse
from rankalpha.stages.grading import FRONTEND_REFRESH, GRADING_REFRESH, GRADING_SHOW

for market in markets_to_parse("grading"):
    scores, sentiment, grades = (market.dataset(each) for each in (SCORES, SENTIMENT, GRADES))
    with DAG(
        dag_id=market.dag_id("grading"),
        schedule=PartitionedAssetTimetable(assets=scores & sentiment),  # both halves of the same batch
        catchup=False,
        max_active_runs=1,  # the API grades one batch at a time
        default_args=default_args(market),
        params=params(),
        deadline=deadline(),
        tags=["rankalpha", "grading", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        update_grading = ServiceOperator(
            task_id="update_grading", call=GRADING_REFRESH.of(market), consumes=[scores, sentiment]
        )
        publish_grades = PublishOperator(
            task_id="publish_grades",
            dataset=grades,
            contract=GRADES_CONTRACT,
            on_success_callback=None if market.challenges else [ping, report_graded],
        )
        update_grading >> publish_grades
        if market.challenges:  # its grades are compared, and never shown
            continue
        show, notify, batch_from = GRADING_SHOW.of(market), FRONTEND_REFRESH.of(market), "update_grading"
        show_grades = ShowOperator(task_id="show_grades", call=show, batch_from=batch_from, dataset=grades)
        notify_frontend = ServiceOperator(task_id="notify_frontend", call=notify, batch_from=batch_from)
        publish_grades >> show_grades >> notify_frontend
