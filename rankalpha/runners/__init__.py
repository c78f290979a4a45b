"""How a stage runs: in a container (`docker`) or as a process (`process`). DAGs do not know."""

from rankalpha.runners.base import Runner, StageFailed, StageInvalid
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import SettingsError, settings

__all__ = ["Runner", "StageFailed", "StageInvalid", "runner"]

RUNNERS: dict[str, type[Runner]] = {"docker": DockerRunner, "process": ProcessRunner}


def runner() -> Runner:
    """Return the runner that RANKALPHA_RUNNER names."""
    name = settings().runner
    if name not in RUNNERS:
        raise SettingsError(f"RANKALPHA_RUNNER={name!r} is unknown; use one of {', '.join(sorted(RUNNERS))}")
    return RUNNERS[name]()
