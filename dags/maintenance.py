"""
# RankAlpha maintenance

Removes what would otherwise grow for ever: old logs and old rows of Airflow's database. Containers that
nobody collects are swept by `rankalpha_watchdog`.

- **Reads**: nothing; it belongs to no batch
- **Writes**: no dataset. The stages' outputs are not its business: they lie in volumes that Airflow does not
  mount. Ingestion keeps the newest `INGESTION_KEEP_BATCHES` batches, and the services remove what belongs to
  older ones when they write a new one; images of your own must do likewise.
- **Runs**: each hour. With Celery any worker on the default queue takes its tasks: `prune_logs` sees the
  folder that it writes logs to.
- **Healthy when**: both tasks are green; each says in its log what it has removed.
- **If it fails**: no batch is affected. The log of the red task says what could not be removed or was
  refused; mend it, then clear the task or wait for the next hour. How long things are kept:
  `RANKALPHA_KEEP_LOG_DAYS`, `RANKALPHA_KEEP_METADATA_DAYS`.
- **Running it again** is safe: what an active task still needs is never touched.
"""

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, CronTriggerTimetable

from rankalpha.defaults import default_args
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
    # on their own, so that none waits for another to be mended
    for function in (prune_logs, prune_metadata):
        PythonOperator(task_id=function.__name__, python_callable=function)
