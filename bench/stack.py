"""The embedded stack of RankAlpha as the benchmarks run it."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.report import say
from rankalpha.airflow_api import AirflowApiError
from rankalpha.stages import STAGES
from tests.support.checkout import ROOT
from tests.support.embedded_stack import RunningStack
from tests.support.stack import Stack

START_SECONDS = 120
BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
OWN_DAGS = {"name": "dags-folder", "classpath": BUNDLE, "kwargs": {}}
BENCH_DAGS = {"name": "bench", "classpath": BUNDLE, "kwargs": {"path": str(ROOT / "bench/dags/ours")}}


@contextmanager
def ours(*bundles: Mapping[str, object], env: Mapping[str, str], **settings: str) -> Iterator[RunningStack]:
    """Run RankAlpha's stack with DAG bundles, settings, and `env`, the texts of a profile's files by name."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        profile = Path(folder, "env", "local")
        profile.mkdir(parents=True)
        for name in {"api", "bench", "grading", *(stage.name for stage in STAGES)}:
            (profile / f"{name}.env").write_text(env.get(name, ""))
        stack = RunningStack(
            Path(folder, "state"),
            RANKALPHA_ENV_DIR=str(profile.parent),
            AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps(bundles),
            **settings,
        )
        say("Starting RankAlpha's stack")
        with stack.started():
            yield stack


def noop(services: str) -> dict[str, str]:
    """Return a profile whose stages do nothing, and whose API and frontend are at that address."""
    stage = "bench/noop_stage.py"
    return {
        "ingestion": f"INGESTION_COMMAND=python {stage} ingestion\n",
        "scorer": f"SCORER_COMMAND=python {stage} scorer\n",
        "sentiment": f"SENTIMENT_COMMAND=python ../../{stage} sentiment\n",
        "api": f"API_URL={services}\nFRONTEND_URL={services}\n",
    }


def wait_for_dags(stack: Stack, *dag_ids: str) -> None:
    """Return when Airflow's components are healthy and it has parsed the DAGs."""
    wait(lambda: _answers(lambda: _healthy(stack)), START_SECONDS)
    for dag_id in dag_ids:
        wait(lambda dag_id=dag_id: _answers(lambda: bool(stack.api.get(f"dags/{dag_id}"))), START_SECONDS)


def wait(done: Callable[[], bool], seconds: float, pause: float = 0.5) -> None:
    """Return when `done` returns true; end the benchmark when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {seconds:.0f} s")
        time.sleep(pause)


def _answers(ask: Callable[[], bool]) -> bool:
    with suppress(AirflowApiError, OSError):  # requests' errors are of the latter kind
        return ask()
    return False


def _healthy(stack: Stack) -> bool:
    return all(part["status"] == "healthy" for part in stack.api.get("monitor/health").values())
