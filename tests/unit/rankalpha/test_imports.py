"""What a process loads; the floors of the packages are held by import-linter, see pyproject.toml."""

import subprocess
import sys

import pytest

LOADED = "import sys, {}; print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'airflow'))"


def airflow_loaded_by(module: str) -> list[str]:
    """Import a module in a process of its own; return the modules of Airflow that came with it."""
    command = [sys.executable, "-c", LOADED.format(module)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "module",
    [
        "rankalpha.stack.launch",  # each container starts with it
        "rankalpha.stack.probe",  # each health check
        "rankalpha.stack.docker_proxy.server",  # its image has no Airflow
        "rankalpha.pipeline.markets, rankalpha.stages",  # what it reads to know what to let through
    ],
)
def test_launcher_and_proxy_load_no_airflow(module):
    assert airflow_loaded_by(module) == []


def test_a_command_that_asks_only_the_api_loads_no_airflow():
    """Airflow takes seconds to load; `lineage` loads it for the graph, once it draws it."""
    commands = ("health", "status", "lineage", "rerun", "publish_anyway", "startup")
    assert airflow_loaded_by(", ".join(f"rankalpha.commands.{name}" for name in commands)) == []


def test_what_airflow_runs_does_load_it():
    assert airflow_loaded_by("rankalpha.operators") != []
