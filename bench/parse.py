"""Part `parse`: what parsing the DAG files costs, and what it does in the classic design.

That is a DAG file of four DockerOperators with settings that it reads from Airflow's Variables at top level.
Each file is parsed in a process of its own, as Airflow's DAG processor does.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Figure, say
from tests.support.checkout import ROOT

RUNS = 7
VARIABLES = [f"setting_{number}" for number in range(25)]
EACH, ALL = "each of RankAlpha's DAG files", "all of RankAlpha's DAG files"
PLAIN, CLASSIC = "stock DAG file", f"stock DAG file, {len(VARIABLES)} Variables"
Run = dict[str, Any]  # of `parse_once`


def measure() -> list[Figure]:
    """Parse each of our files, and the classic one without and with Variables, RUNS times each."""
    files, plain = sorted((ROOT / "dags").glob("*.py")), ROOT / "bench/dags/stock/classic.py"
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        classic = _classic_file(plain, Path(folder, "classic.py"))
        with _airflow_with_variables(Path(folder)) as environment:
            measured = _parse_all([*files, plain, classic], environment)
    at_once = list(zip(*(measured[file] for file in files), strict=True))
    # a file for what only some deployments declare makes no DAGs here
    with_dags = [[run for run in runs if run["dags"]] for runs in at_once]
    each = [run for runs in with_dags for run in runs]
    return [
        *_figures(EACH, [(run,) for run in each]),
        *_figures(ALL, at_once),
        *_figures(PLAIN, [(run,) for run in measured[plain]]),
        *_figures(CLASSIC, [(run,) for run in measured[classic]]),
        _ratio(EACH, [median(run["cpu"] for run in runs) for runs in with_dags], measured[classic]),
        _ratio(ALL, _sums(at_once, "cpu"), measured[classic]),
    ]


def _ratio(name: str, ours: list[float], classic: list[Run]) -> Figure:
    values = [cpu / run["cpu"] for cpu, run in zip(ours, classic, strict=True)]
    return Figure.of(f"CPU of {name} against {CLASSIC}", "ratio", values)


def _figures(name: str, times: Sequence[Sequence[Run]]) -> list[Figure]:
    return [
        Figure.of(f"{name}, CPU", "s", _sums(times, "cpu")),
        Figure.of(f"{name}, wall", "s", _sums(times, "wall")),
        Figure.of(f"{name}, calls", "", _sums(times, "connections", "queries")),
    ]


def _sums(times: Sequence[Sequence[Run]], *keys: str) -> list[float]:
    return [sum(run[key] for run in runs for key in keys) for runs in times]


def _parse_all(paths: list[Path], environment: dict[str, str]) -> dict[Path, list[Run]]:
    measured: dict[Path, list[Run]] = {path: [] for path in paths}
    for run in _runs(paths * RUNS, environment):
        measured[Path(run["path"])].append(run)
    say(f"Parsed {len(paths)} paths {RUNS} times")
    return measured


def _runs(paths: list[Path], environment: dict[str, str]) -> list[Run]:
    command = [sys.executable, str(ROOT / "bench/parse_once.py"), *map(str, paths)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    # what else is printed is Airflow's
    runs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"path"')]
    for run in runs:
        if run["errors"]:
            raise SystemExit(f"{run['path']} does not parse: {run['errors']}")
    return runs


def of_markets(dags: Path, markets: Path, times: int) -> list[Run]:
    """Parse a DAG folder with a file of markets; each time in a process that has not imported any DAG yet."""
    environment = {
        **{key: os.environ[key] for key in ("PATH", "HOME")},
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(markets.parent / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2:///none",  # so that asking it would fail
        "RANKALPHA_MARKETS": str(markets),
    }
    return _runs([dags] * times, environment)


def _classic_file(plain: Path, classic: Path) -> Path:
    """Write the stock DAG with reads of Variables at its top level."""
    reads = ["", "from airflow.sdk import Variable", *(f'Variable.get("{name}")' for name in VARIABLES)]
    top = "\n".join([*reads, "", "with DAG("])
    classic.write_text(plain.read_text().replace("\nwith DAG(", top, 1))
    return classic


@contextmanager
def _airflow_with_variables(folder: Path) -> Iterator[dict[str, str]]:
    """Run a PostgreSQL with Airflow's schema and the Variables; yield the environment to parse in."""
    from rankalpha.stack.embedded.postgres import start  # noqa: PLC0415

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
            "_AIRFLOW_PROCESS_CONTEXT": "server",  # lets a process that is not a task read Variables
        }
        (folder / "variables.json").write_text(json.dumps(dict.fromkeys(VARIABLES, "value")))
        for command in ("db migrate", f"variables import {folder}/variables.json"):
            airflow = [sys.executable, "-m", "airflow", *command.split()]
            subprocess.run(airflow, env=environment, capture_output=True, check=True)
        yield environment
    finally:
        server.stop()
