"""RankAlpha's four DAGs for the benchmark `overhead`, each stage a container that sleeps.

They have its operators, contracts, partitioned datasets, pools, alerts and deadlines. Grading is a container
too, as everywhere here.
"""

from collections.abc import Callable
from typing import Any

from airflow.sdk import DAG, Asset, CronPartitionTimetable, PartitionedAssetTimetable, get_parsing_context

from bench.work import CPUS, IMAGE, MEMORY, PIDS, SECONDS, command
from datasets import GRADES_CONTRACT, PRICES_CONTRACT, SCORES_CONTRACT, SENTIMENT_CONTRACT
from rankalpha.alerts.deadline import deadline
from rankalpha.defaults import default_args, params
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.stages.docker import DockerOptions
from rankalpha.stages.stage import Stage

CONTRACTS = {
    "prices": PRICES_CONTRACT,
    "scores": SCORES_CONTRACT,
    "sentiment": SENTIMENT_CONTRACT,
    "grades": GRADES_CONTRACT,
}
NEVER = CronPartitionTimetable("0 0 1 1 *", timezone="UTC")  # batches are triggered


def four(way: str, operator: Callable[..., StageOperator]) -> None:
    """Make the four DAGs; their ids and the names of their datasets begin with `way`."""
    assets = {name: Asset(name=f"{way}_{name}", uri=f"bench://{way}/{name}") for name in CONTRACTS}
    stage_dag(way, operator, "ingestion", assets["prices"])
    stage_dag(way, operator, "scorer", assets["scores"], assets["prices"])
    stage_dag(way, operator, "sentiment", assets["sentiment"], assets["prices"])
    stage_dag(way, operator, "grading", assets["grades"], assets["scores"], assets["sentiment"])


def stage_dag(
    way: str, operator: Callable[..., StageOperator], name: str, writes: Asset, *reads: Asset
) -> None:
    """Make the DAG of a stage: run, then publish; a running task makes its own only, as those in dags/ do."""
    dag_id = f"{way}_{name}"
    if get_parsing_context().dag_id not in (None, dag_id):
        return
    stage = Stage(
        name=name,
        image=IMAGE,
        command=command(SECONDS[name]),
        cpus=CPUS,
        memory=MEMORY,
        pids=PIDS,
        docker=DockerOptions(network="bridge"),
    )
    joined: Any = reads[0] if len(reads) == 1 else reads and reads[0] & reads[1]
    with DAG(
        dag_id=dag_id,
        schedule=PartitionedAssetTimetable(assets=joined) if reads else NEVER,
        catchup=False,
        max_active_runs=1,
        default_args=default_args(),
        params=params(),
        deadline=deadline(),
    ):
        run = operator(task_id=f"run_{name}", stage=stage, consumes=reads)
        contract = CONTRACTS[writes.name.removeprefix(f"{way}_")]
        run >> PublishOperator(task_id=f"publish_{name}", dataset=writes, contract=contract)
