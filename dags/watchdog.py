"""
# RankAlpha watchdog

Sees to it that no batch is lost silently.

- **Reads**: where each batch of the last `RANKALPHA_WATCH_DAYS` days stands; it belongs to no batch itself
- **Writes**: no dataset. A batch that was lost on the way to a DAG is given to it, and an orphaned container
  is stopped.
- **Runs**: every five minutes. For when the scheduler is down: the page RankAlpha, and the command `health`.
- **Alerts** once, with what to do: a failed stage or a missed deadline that did not tell itself; a paused DAG
  that a batch waits for; a batch that was not graded within `RANKALPHA_GRADED_WITHIN` minutes; no batch
  `RANKALPHA_STARTED_WITHIN` minutes after 06:00 UTC; a component of Airflow without a heartbeat; a channel
  that takes no alerts. It sends what was not sent, and tells once what is over. What was told, and by which
  channel not yet, stands in the Variables `rankalpha_incident_...`, which go when it is over.
- **Healthy when**: both tasks are green; the log of `watch_batches` says of each batch where it is.
- **If it fails**: batches go on, but nobody watches. Its log says whom Airflow's API does not let in.
- **Running it again** is safe.
"""

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, CronTriggerTimetable

from rankalpha.containers.sweep import sweep_containers
from rankalpha.defaults import default_args
from rankalpha.watchdog import watch_batches

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
    # on their own, so that none waits for another to be mended
    for function in (watch_batches, sweep_containers):
        PythonOperator(task_id=function.__name__, python_callable=function)
