"""The classic design: one DAG of four DockerOperators."""

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG

from bench.work import CPUS, IMAGE, LABEL, MEMORY, SECONDS, command

with DAG(dag_id="classic", schedule=None):
    ingestion, scorer, sentiment, grading = (
        DockerOperator(
            task_id=f"run_{name}",
            image=IMAGE,
            command=command(seconds),
            cpus=CPUS,
            mem_limit=MEMORY,
            labels={LABEL: name},
            auto_remove="force",
            mount_tmp_dir=False,
        )
        for name, seconds in SECONDS.items()
    )
    ingestion >> [scorer, sentiment] >> grading
