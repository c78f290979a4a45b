"""DAG of the benchmark `in_flight`: long stages by our operator."""

import os

from airflow.sdk import DAG

from bench.work import CPUS, IMAGE, LONG, MEMORY
from rankalpha.operators import StageOperator
from rankalpha.stage import Stage

STAGE = Stage(name="bench", image=IMAGE, command=LONG, network="bridge", volumes=(), cpus=CPUS, memory=MEMORY)
MANY = int(os.environ.get("BENCH_STAGES", "1"))

with DAG(dag_id="bench_in_flight", schedule=None, max_active_tasks=MANY):
    for number in range(MANY):
        StageOperator(task_id=f"stage_{number}", stage=STAGE)
