"""Four DAGs of one DockerOperator each, joined by plain datasets."""

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG, Asset

from bench.work import CPUS, IMAGE, LABEL, MEMORY, SECONDS, command

READS = {
    "ingestion": [],
    "scorer": ["ingestion"],
    "sentiment": ["ingestion"],
    "grading": ["scorer", "sentiment"],
}
ASSETS = {name: Asset(name=f"plain_{name}", uri=f"bench://plain/{name}") for name in READS}

for name, reads in READS.items():
    with DAG(dag_id=f"plain_{name}", schedule=[ASSETS[read] for read in reads] or None):
        DockerOperator(
            task_id=f"run_{name}",
            image=IMAGE,
            command=command(SECONDS[name]),
            cpus=CPUS,
            mem_limit=MEMORY,
            labels={LABEL: name},
            auto_remove="force",
            mount_tmp_dir=False,
            outlets=[ASSETS[name]],
        )
