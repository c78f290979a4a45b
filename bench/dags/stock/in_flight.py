"""DAG of the benchmark `in_flight`: long containers by the stock operator."""

import os

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG

from bench.work import CPUS, IMAGE, LONG, MEMORY

SOME = int(os.environ.get("BENCH_STAGES", "1"))

with DAG(dag_id="bench_in_flight", schedule=None, max_active_tasks=SOME):
    for number in range(SOME):
        DockerOperator(
            task_id=f"stage_{number}",
            image=IMAGE,
            command=LONG,
            cpus=CPUS,
            mem_limit=MEMORY,
            auto_remove="force",
            mount_tmp_dir=False,
        )
