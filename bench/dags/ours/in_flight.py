"""DAG of the benchmark `in_flight`: long stages by our operator."""

from airflow.sdk import DAG

from bench.work import CPUS, IMAGE, LONG, MEMORY, STAGES_OF_A_RUN
from rankalpha.operators import StageOperator
from rankalpha.stages.docker import DockerOptions
from rankalpha.stages.stage import Stage

NETWORK = DockerOptions(network="bridge")
STAGE = Stage(name="bench", image=IMAGE, command=LONG, cpus=CPUS, memory=MEMORY, docker=NETWORK)
with DAG(dag_id="bench_in_flight", schedule=None, max_active_runs=1000):
    for number in range(STAGES_OF_A_RUN):
        StageOperator(task_id=f"stage_{number}", stage=STAGE)
