"""Part `parse`: what parsing the DAG folder costs, and what it would cost with Variables at top level."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.report import Figure, say
from tests.support.stack import ROOT

RUNS = 5
VARIABLES = 25  # that each classic DAG file reads at its top level


def measure() -> list[Figure]:
    """Parse the folder, each of its files, and the classic folder, RUNS times each."""
    ours = ROOT / "dags"
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        classic = _classic_folder(ours, Path(folder, "classic"))
        paths = [ours, classic, *sorted(ours.glob("*.py"))]
        with _airflow_with_variables(Path(folder)) as environment:
            measured = _parse_all(paths, environment)
    return [
        *_figures("DAG folder", measured[ours]),
        *(Figure.of(f"dags/{path.name}, CPU", "s", _each(measured[path], "cpu")) for path in paths[2:]),
        *_figures(f"with {VARIABLES} Variables a file", measured[classic]),
    ]


def _figures(name: str, runs: list[dict[str, Any]]) -> list[Figure]:
    seconds = [Figure.of(f"{name}, {kind}", "s", _each(runs, kind.lower())) for kind in ("CPU", "wall")]
    counts = [Figure.of(f"{name}, {kind}", "", _each(runs, kind)) for kind in ("connections", "queries")]
    return seconds + counts


def _each(runs: list[dict[str, Any]], key: str) -> list[float]:
    return [run[key] for run in runs]


def _parse_all(paths: list[Path], environment: dict[str, str]) -> dict[Path, list[dict[str, Any]]]:
    command = [sys.executable, str(ROOT / "bench/parse_once.py"), *map(str, paths * RUNS)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[Path, list[dict[str, Any]]] = {path: [] for path in paths}
    for line in done.stdout.splitlines():
        if line.startswith('{"path"'):  # the rest is Airflow's
            run = json.loads(line)
            if run["errors"] or not run["dags"]:
                raise SystemExit(f"{run['path']} has no DAGs or does not parse: {run['errors']}")
            measured[Path(run["path"])].append(run)
    say(f"Parsed {len(paths)} paths {RUNS} times")
    return measured


def _classic_folder(ours: Path, classic: Path) -> Path:
    """Write the same DAGs, each with settings that it reads from Airflow's Variables while it is parsed."""
    shutil.copytree(ours, classic, ignore=shutil.ignore_patterns("__pycache__"))
    for path in classic.glob("*.py"):
        reads = [f'Variable.get("{name}")' for name in _names(path)]
        top = "\n".join(["", "from airflow.sdk import Variable", *reads, "", "with DAG("])
        path.write_text(path.read_text().replace("\nwith DAG(", top, 1))
    return classic


def _names(path: Path) -> list[str]:
    return [f"{path.stem}_{number}" for number in range(VARIABLES)]


@contextmanager
def _airflow_with_variables(folder: Path) -> Iterator[dict[str, str]]:
    """Run a PostgreSQL with Airflow's schema and the Variables; yield the environment to parse in."""
    from rankalpha.embedded.postgres import start  # noqa: PLC0415

    say("Preparing an Airflow database")
    server = start(folder / "postgres")
    try:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.get_uri(driver="psycopg2"),
            "_AIRFLOW_PROCESS_CONTEXT": "server",  # lets a process that is no task read Variables
        }
        variables = {name: "value" for path in (ROOT / "dags").glob("*.py") for name in _names(path)}
        (folder / "variables.json").write_text(json.dumps(variables))
        for command in ("db migrate", f"variables import {folder}/variables.json"):
            airflow = [sys.executable, "-m", "airflow", *command.split()]
            subprocess.run(airflow, env=environment, capture_output=True, check=True)
        yield environment
    finally:
        server.stop()
