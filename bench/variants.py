"""Part `variants`: what a deployment pays for champion and challenger, and for models, when it declares none.

The DAG folder is parsed as it is, and without the two DAG files that are of variants and models alone. Then
stacks are watched that have nothing to do.
"""

import shutil
import tempfile
import time
from pathlib import Path

from bench.idle import loads, memory, roots
from bench.parse import Run, of_markets
from bench.report import Figure, say
from bench.stack import BUNDLE, noop, ours, wait_for_dags
from tests.support.checkout import ROOT, far_away
from tests.support.services import RecordingServices

RUNS = 7
OWN_FILES = ("comparison.py", "training.py")
VARIANT = '[default.variants.challenger]\nimages = {scorer = "rankalpha_scorer:2"}\n'
WITHOUT, NONE = "without their DAG files", "none declared"
DECLARED = {
    WITHOUT: "",
    NONE: "",
    "a variant": VARIANT,
    "a variant and training": VARIANT + "[default.training]\n",
}
IDLE = (WITHOUT, NONE)  # whose stacks are watched
IDLE_RUNS = 2
SETTLE = 20  # seconds after a start, then as many in which the stack is watched


def measure() -> list[Figure]:
    """Parse the DAG folder in each of these ways, in turn; then watch stacks of two of them, in turn."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as name:
        folder, fewer = Path(name), Path(name, "fewer")
        shutil.copytree(ROOT / "dags", fewer / "dags", ignore=shutil.ignore_patterns(*OWN_FILES))
        shutil.copytree(ROOT / "datasets", fewer / "datasets")
        shutil.copy(ROOT / ".airflowignore", fewer)
        files = {way: folder / f"markets-{number}.toml" for number, way in enumerate(DECLARED)}
        for way, file in files.items():
            file.write_text(f'[default]\nschedule = "{far_away()}"\n{DECLARED[way]}')
        bundles = {way: fewer if way == WITHOUT else ROOT for way in DECLARED}
        runs: dict[str, list[Run]] = {way: [] for way in DECLARED}
        for number in range(RUNS):
            for way, file in files.items():
                runs[way] += of_markets(bundles[way] / "dags", file, 1)
            say(f"Parsed the DAG folder in {len(DECLARED)} ways, {number + 1} of {RUNS}")
        idle: dict[str, list[tuple[float, float]]] = {way: [] for way in IDLE}
        for way in IDLE * IDLE_RUNS:
            idle[way].append(_idle(bundles[way], files[way]))
    return [
        *(figure for way in DECLARED for figure in _figures(way, runs[way], runs[WITHOUT])),
        *(
            Figure.of(f"memory of the idle stack (PSS), {way}", "MB", [run[0] for run in idle[way]])
            for way in IDLE
        ),
        *(Figure.of(f"CPU of the idle stack, {way}", "cores", [run[1] for run in idle[way]]) for way in IDLE),
    ]


def _idle(bundle: Path, markets: Path) -> tuple[float, float]:
    """Return what a whole stack takes while it is idle, with the DAGs of a bundle: MB, and cores."""
    dags = {"name": "dags-folder", "classpath": BUNDLE, "kwargs": {"path": str(bundle)}}
    with (
        RecordingServices() as services,
        ours(dags, env=noop(services.url), RANKALPHA_MARKETS=str(markets)) as stack,
    ):
        wait_for_dags(stack, "rankalpha_evaluation")
        time.sleep(SETTLE)
        ids = roots(stack)
        cores = loads({"": ids}, SETTLE)[""]
        return memory(ids), cores


def _figures(way: str, runs: list[Run], without: list[Run]) -> list[Figure]:
    ratios = [run["cpu"] / other["cpu"] for run, other in zip(runs, without, strict=True)]
    return [
        Figure.of(f"DAGs, {way}", "", [run["dags"] for run in runs]),
        Figure.of(f"modules that parsing loads, {way}", "", [run["modules"] for run in runs]),
        Figure.of(f"parsing, {way}", "CPU s", [run["cpu"] for run in runs]),
        Figure.of(f"memory that parsing takes (PSS), {way}", "MB", [run["memory"] for run in runs]),
        *([] if way == WITHOUT else [Figure.of(f"parsing, {way}, against {WITHOUT}", "ratio", ratios)]),
    ]
