"""DAG of the benchmark `in_flight`: long containers by the stock operator."""

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG

from bench.work import CPUS, IMAGE, LONG, MEMORY, STAGES_OF_A_RUN

with DAG(dag_id="bench_in_flight", schedule=None, max_active_runs=1000):
    for number in range(STAGES_OF_A_RUN):
        DockerOperator(
            task_id=f"stage_{number}",
            image=IMAGE,
            command=LONG,
            cpus=CPUS,
            mem_limit=MEMORY,
            auto_remove="force",
            mount_tmp_dir=False,
        )
