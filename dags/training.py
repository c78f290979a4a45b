"""
# RankAlpha training

Trains a model of forward returns from the prices of a batch, and judges it on days that it has not seen.

- **Reads**: dataset `prices`
- **Writes**: dataset `models`
- **Runs**: on Sundays at 04:00 UTC or by the schedule of `[<market>.training]` in `datasets/markets.toml`,
  without which there is no such DAG; and by hand. It takes the newest batch in `prices`, or the batch of the
  given partition key. No batch waits for it.
- **Healthy when**: `publish_models` is green a few minutes after the start. Then `approve_model` waits for a
  person, by default five days, and takes no answer for a rejection. What is approved is the champion.
- **If it fails**: see the log of the red task. A model that its contract blocks is no better than chance, or
  not better than the scorer's formula: the next training has newer prices. Nothing else is affected.
- **Running it again** is safe: each run writes a version of its own.
"""

from airflow.sdk import DAG, CronTriggerTimetable

from rankalpha.defaults import default_args, params
from rankalpha.pipeline.markets import trainers_to_parse

if trainers := trainers_to_parse():  # where no market trains, nothing of it is loaded
    from datasets import PRICES
    from datasets.models import MODELS, MODELS_CONTRACT
    from rankalpha.operators import PublishOperator, StageOperator
    from rankalpha.operators.approval import ApproveModelOperator, NameChampionOperator
    from rankalpha.stages.trainer import TRAINER

for market, training in trainers:
    prices = market.dataset(PRICES)
    with DAG(
        dag_id=market.dag_id("training"),
        schedule=CronTriggerTimetable(training.schedule, timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        default_args=default_args(optional=True),
        params=params(),
        tags=["rankalpha", "training", *market.tags],
        doc_md=market.documented(__doc__),
    ):
        run_trainer = StageOperator(task_id="run_trainer", stage=TRAINER.of(market), consumes=[prices])
        publish_models = PublishOperator(
            task_id="publish_models",
            dataset=market.dataset(MODELS),
            contract=MODELS_CONTRACT,
        )
        approve_model = ApproveModelOperator(
            task_id="approve_model", dataset=market.dataset(MODELS), days=training.approval_days
        )
        name_champion = NameChampionOperator(
            task_id="name_champion",
            dataset=market.dataset(MODELS),
            approved_by="approve_model",
        )
        run_trainer >> publish_models >> approve_model >> name_champion
