"""
# RankAlpha maintenance

Removes what would otherwise grow without end: old logs and old rows of Airflow's database. Compares
published data with the disk. `rankalpha_watchdog` removes containers that no task needs any more.

- **Reads**: the versions of the newest batch and of another one at random; it belongs to no batch itself
- **Writes**: no dataset. It does not prune the stages' outputs, which are in volumes that Airflow does not
  mount. Ingestion keeps the newest `INGESTION_KEEP_BATCHES` batches with new prices, and the services remove
  what belongs to older ones when they write a new one; images of your own must do the same.
- **Runs**: each hour. With Celery any worker on the default queue takes its tasks: `prune_logs` sees the
  folder that it writes logs to.
- **Healthy when**: its tasks are green; the log of each lists what it has removed or verified.
- **If it fails**: no batch is affected by `prune_logs` and `prune_metadata`. When `verify_versions` is red,
  published data were changed on the disk: its log names the files, and a stage that reads them refuses
  them. Re-run that batch. Otherwise the log of the red task shows what could not be removed or was refused.
  Fix that, then clear the task or wait for the next hour. How long things are kept:
  `RANKALPHA_KEEP_LOG_DAYS`, `RANKALPHA_KEEP_METADATA_DAYS`.
- **Running it again** is safe: what an active task still needs is never touched.
"""

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, CronTriggerTimetable

from rankalpha.defaults import default_args
from rankalpha.lineage.verify_task import verify_versions
from rankalpha.maintenance import prune_logs, prune_metadata

with DAG(
    dag_id="rankalpha_maintenance",
    schedule=CronTriggerTimetable("40 * * * *", timezone="UTC"),  # not when the day's batch starts
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # batches need the workers more
    default_args={**default_args(), "execution_timeout": timedelta(minutes=30), "do_xcom_push": False},
    tags=["rankalpha", "maintenance"],
    doc_md=__doc__,
) as dag:
    # independent, so that none waits for another to be fixed
    for function in (prune_logs, prune_metadata, verify_versions):
        PythonOperator(task_id=function.__name__, python_callable=function)
