"""
# RankAlpha watchdog

Makes sure that no batch is lost silently.

- **Reads**: where each batch of the last `RANKALPHA_WATCH_DAYS` days stands; it belongs to no batch itself
- **Writes**: no dataset. It gives a batch that was lost on the way to a DAG to that DAG again, and stops
  orphaned containers.
- **Runs**: every five minutes. While the scheduler is down, use the page RankAlpha or the command `health`.
- **Alerts** once, with what to do: a failed stage or a missed deadline that was not reported yet; a paused
  DAG that a batch waits for; a batch that was not graded within `RANKALPHA_GRADED_WITHIN` minutes; no batch
  `RANKALPHA_STARTED_WITHIN` minutes after 06:00 UTC; a component of Airflow without a heartbeat; a channel
  that takes no alerts. It sends alerts that were not sent, and reports once that an incident is over. The
  state store of the asset `incidents` holds what is open, and by which channels it was reported.
- **Healthy when**: both tasks are green; the log of `watch_batches` shows where each batch is.
- **If it fails**: batches continue, but nothing watches them. The log names the user whom Airflow's API
  refuses.
- **Running it again** is safe.
"""

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, CronTriggerTimetable

from rankalpha.containers.sweep import sweep_containers
from rankalpha.defaults import default_args
from rankalpha.watchdog import INCIDENTS, watch_batches

with DAG(
    dag_id="rankalpha_watchdog",
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        **default_args(),
        "retries": 0,  # the next round is near
        "execution_timeout": timedelta(minutes=4),
        "do_xcom_push": False,
    },
    tags=["rankalpha", "watchdog"],
    doc_md=__doc__,
) as dag:
    # independent, so that neither waits for the other to be fixed
    PythonOperator(
        task_id="watch_batches",
        python_callable=watch_batches,
        inlets=[INCIDENTS],  # Airflow keeps the state store of an asset for as long as a task names it
    )
    PythonOperator(task_id="sweep_containers", python_callable=sweep_containers)
