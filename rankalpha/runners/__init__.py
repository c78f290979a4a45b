"""How a stage runs: in a container (`docker`) or as a process (`process`). DAGs do not know."""

from pkgutil import resolve_name

from rankalpha.runners.base import Runner
from rankalpha.settings import SettingsError, settings

# by name, because Docker's client is slow to load and parsing a DAG does not need it
RUNNERS = {
    "docker": "rankalpha.runners.docker:DockerRunner",
    "process": "rankalpha.runners.process:ProcessRunner",
}


def runner() -> Runner:
    """Return the runner that RANKALPHA_RUNNER names."""
    name = settings().runner
    if name not in RUNNERS:
        raise SettingsError(f"RANKALPHA_RUNNER={name!r} is unknown; use one of {', '.join(sorted(RUNNERS))}")
    engine: Runner = resolve_name(RUNNERS[name])()
    return engine
