"""Part `variants`: what a deployment pays for champion and challenger, and for models, when it declares none.

The DAG folder is parsed as it is, and without the two DAG files that are of variants and models alone.
"""

import shutil
import tempfile
from pathlib import Path

from bench.parse import Run, of_markets
from bench.report import Figure, say
from tests.support.checkout import ROOT

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


def measure() -> list[Figure]:
    """Parse the DAG folder in each of these ways, in turn."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as name:
        folder = Path(name)
        fewer = shutil.copytree(ROOT / "dags", folder / "dags", ignore=shutil.ignore_patterns(*OWN_FILES))
        runs: dict[str, list[Run]] = {way: [] for way in DECLARED}
        for number in range(RUNS):
            for way, text in DECLARED.items():
                markets = folder / "markets.toml"
                markets.write_text(f"[default]\n{text}")
                runs[way] += of_markets(fewer if way == WITHOUT else ROOT / "dags", markets, 1)
            say(f"Parsed the DAG folder in {len(DECLARED)} ways, {number + 1} of {RUNS}")
    return [figure for way in DECLARED for figure in _figures(way, runs[way], runs[WITHOUT])]


def _figures(way: str, runs: list[Run], without: list[Run]) -> list[Figure]:
    ratios = [run["cpu"] / other["cpu"] for run, other in zip(runs, without, strict=True)]
    return [
        Figure.of(f"DAGs, {way}", "", [run["dags"] for run in runs]),
        Figure.of(f"modules that parsing loads, {way}", "", [run["modules"] for run in runs]),
        Figure.of(f"parsing, {way}", "CPU s", [run["cpu"] for run in runs]),
        Figure.of(f"memory that parsing takes (PSS), {way}", "MB", [run["memory"] for run in runs]),
        *([] if way == WITHOUT else [Figure.of(f"parsing, {way}, against {WITHOUT}", "ratio", ratios)]),
    ]
