"""Creates a stage's container with the limits and rights of its job."""

from docker import APIClient
from docker.types import LogConfig

from rankalpha.runners import container_log
from rankalpha.runners.docker_mounts import mounts
from rankalpha.runners.file_system import RESULT_PATH, tmpfs
from rankalpha.stages.job import StageJob

DATA_ROOT = "/data"


def create_container(client: APIClient, job: StageJob, name: str, *, folders: bool) -> str:
    """Create the container of a job and return its id; `folders` are mounted instead of whole volumes."""
    data = dict.fromkeys(job.stage.data_dir_keys, DATA_ROOT)
    options = job.stage.docker
    made = client.create_container(
        name=name,
        image=job.image,
        command=job.command,
        working_dir=job.stage.working_dir,
        environment={**data, **job.env, "RANKALPHA_RESULT": RESULT_PATH},
        labels=dict(job.labels),
        host_config=client.create_host_config(
            network_mode=options.network,
            mounts=mounts(job, folders=folders),
            nano_cpus=int(job.cpus * 1e9),  # a real limit; `cpu_shares` is only a weight
            mem_limit=job.memory_bytes,
            memswap_limit=job.memory_bytes,  # equal to the memory limit: no swap on top of it
            pids_limit=job.pids,
            read_only=options.read_only,  # the engine's disk has no bound for it
            tmpfs=tmpfs(job.tmp_bytes) if options.read_only else None,
            init=True,  # reaps orphans and hands signals to the stage
            cap_drop=["ALL"],  # with Docker's defaults it could forge its network's packets
            cap_add=list(options.capabilities),
            log_config=LogConfig(type=container_log.DRIVER, config=container_log.OPTIONS),
            security_opt=["no-new-privileges"],  # nor from a program of its image, such as su
        ),
    )
    container_id: str = made["Id"]
    return container_id
