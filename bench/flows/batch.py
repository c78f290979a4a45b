"""The same four containers as a flow of Prefect, served; runs in Prefect's own environment."""

import docker
from prefect import flow, task

from bench.work import CPUS, IMAGE, LABEL, MEMORY, PIDS, SECONDS, command


@task(task_run_name="run_{name}")
def run_stage(name: str) -> None:
    """Run a stage's container and wait for its end; raise when it has failed."""
    docker.from_env().containers.run(
        IMAGE,
        command(SECONDS[name]),
        init=True,
        labels={LABEL: name},
        mem_limit=MEMORY,
        nano_cpus=int(CPUS * 10**9),
        pids_limit=PIDS,
        remove=True,
    )


@flow
def batch() -> None:
    """Run the stages as they depend on each other."""
    ingestion = run_stage.submit("ingestion")
    scorer = run_stage.submit("scorer", wait_for=[ingestion])
    sentiment = run_stage.submit("sentiment", wait_for=[ingestion])
    run_stage.submit("grading", wait_for=[scorer, sentiment]).result()


if __name__ == "__main__":
    batch.serve(name="bench")
