"""DAGs of the benchmark `in_flight`: the same stages by our operator and by the stock one, side by side."""

import os

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG

from rankalpha.operators import StageOperator
from rankalpha.stage import Stage

IMAGE = "python:3.13-slim-trixie"
COMMAND = f"sleep {os.environ.get('BENCH_SECONDS', '60')}"
STAGE = Stage(
    name="bench",
    image=IMAGE,
    command=COMMAND,
    network=os.environ.get("BENCH_NETWORK", "bridge"),
    volumes=(),
    memory="64m",
)

with DAG(dag_id="bench_durable", schedule=None, max_active_tasks=1000) as durable:
    for number in range(int(os.environ.get("BENCH_DURABLE", "1"))):
        StageOperator(task_id=f"stage_{number}", stage=STAGE)

with DAG(dag_id="bench_stock", schedule=None, max_active_tasks=1000) as stock:
    for number in range(int(os.environ.get("BENCH_STOCK", "1"))):
        DockerOperator(
            task_id=f"stage_{number}",
            image=IMAGE,
            command=COMMAND,
            auto_remove="force",
            mount_tmp_dir=False,
            network_mode=STAGE.network,
        )
