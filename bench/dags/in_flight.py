"""DAGs of the benchmark `in_flight`: the same container by our operator and by the stock one."""

import os
from typing import Any

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG, Context

from rankalpha.operators import StageOperator
from rankalpha.settings import settings
from rankalpha.stage import Stage

IMAGE = "python:3.13-slim-trixie"
LONG, SHORT = "sleep 60", "sleep 1"
MANY = int(os.environ.get("BENCH_STAGES", "1"))
SOME = int(os.environ.get("BENCH_STOCK", "1"))


class WaitingOperator(StageOperator):
    """Holds its worker while the stage runs."""

    def execute(self, context: Context) -> None:
        """See StageOperator."""
        os.environ["RANKALPHA_DEFER"] = "false"
        settings.cache_clear()
        super().execute(context)


def stage(command: str) -> Stage:
    """Return a small container that runs a command."""
    return Stage(
        name="bench", image=IMAGE, command=command, network="bridge", volumes=(), cpus=0.5, memory="64m"
    )


def stock(task_id: str, command: str) -> Any:
    """Return the same by the provider's operator."""
    limits = {"cpus": 0.5, "mem_limit": "64m"}
    return DockerOperator(
        task_id=task_id, image=IMAGE, command=command, auto_remove="force", mount_tmp_dir=False, **limits
    )


with DAG(dag_id="bench_durable", schedule=None, max_active_tasks=MANY):
    for number in range(MANY):
        StageOperator(task_id=f"stage_{number}", stage=stage(LONG))

with DAG(dag_id="bench_stock", schedule=None, max_active_tasks=SOME):
    for number in range(SOME):
        stock(f"stage_{number}", LONG)

with DAG(dag_id="bench_deferred", schedule=None):
    StageOperator(task_id="stage", stage=stage(SHORT))

with DAG(dag_id="bench_waiting", schedule=None):
    WaitingOperator(task_id="stage", stage=stage(SHORT))

with DAG(dag_id="bench_stock_short", schedule=None):
    stock("stage", SHORT)
