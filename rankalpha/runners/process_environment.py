"""What a process has instead of an image: its working folder and its environment."""

import os
import sys
from pathlib import Path

from rankalpha.no_proxy import proxies, with_exceptions
from rankalpha.runners.failures import StageInvalid
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage


def working_folder(job: StageJob) -> Path:
    """Return where the command of a job runs; StageInvalid for a folder that only an image has."""
    folder = Path(job.stage.working_dir)
    if not folder.is_relative_to("/app") or ".." in folder.parts:
        raise StageInvalid(
            f"stage {job.stage.name}: its working_dir {job.stage.working_dir!r} is not below /app, which a "
            "process has instead of an image; correct it, or set RANKALPHA_RUNNER=docker"
        )
    return settings().app_dir.absolute() / folder.relative_to("/app")


def data_root(stage: Stage) -> str:
    """Return the folder that a process has instead of the volumes."""
    return str(settings().data_dir.absolute() / stage.market.folder)


def environment(job: StageJob, folder: Path) -> dict[str, str]:
    """Return what the image would set, the proxy, and the stage's own variables; nothing of Airflow's."""
    bin_dir = str(Path(sys.executable).parent)
    image = {
        "PATH": f"{bin_dir}:{os.defpath}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(settings().app_dir),
        "PYTHONUNBUFFERED": "1",
        # `uv run` uses this environment as it is, and asks nothing of the network
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
        "UV_OFFLINE": "1",
        "UV_PYTHON": sys.executable,
        "RANKALPHA_STACK": settings().stack,  # `make down` ends the stages of its stack
    }
    data = dict.fromkeys(job.stage.data_dir_keys, data_root(job.stage))
    outside = proxies(os.environ)
    return {
        **image,
        **outside,
        **data,
        **job.env,
        **with_exceptions({**outside, **job.env}),
        "RANKALPHA_RESULT": str(folder / "result.json"),
    }
