"""Part `reuse`: batches with a new session and batches without anything new, with the reference services.

The two take turns on one stack; each batch is followed from its trigger until its grading has ended.
"""

import math
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from bench.report import Figure, say
from bench.stack import OWN_DAGS, ours, wait, wait_for_dags
from rankalpha.pipeline.pipelines import GRADING_DAG, PIPELINE
from tests.support.checkout import EACH_RUNS
from tests.support.embedded_stack import RunningStack

SYMBOLS = ("AAPL", "JPM", "KO", "MSFT", "PG", "XOM")
DAYS, WEEKEND = 700, 5
BATCH_SECONDS = 120
SESSIONS = [date(2026, 11, day) for day in (13, 16, 17, 18)]  # batches of the first do not count
KINDS = {"something new": 22, "nothing new": 23}  # hours in UTC, both after the close


def measure() -> list[Figure]:
    """Run a batch of each kind for each of the sessions."""
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    on = dict.fromkeys((f"AIRFLOW_VAR_{key}" for key in EACH_RUNS), "true")
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        env = {"ingestion": f"INGESTION_SOURCE=csv\nINGESTION_CSV_DIR={folder}\n"}
        with ours(OWN_DAGS, env=env, **on) as stack:
            wait_for_dags(stack, *PIPELINE)
            for day in SESSIONS:
                _write(Path(folder), day)
                for kind, hour in KINDS.items():
                    seconds = _batch(stack, f"{day}T{hour}:00:00")
                    say(f"Batch with {kind}: {seconds:.1f} s")
                    took[kind] += [seconds] if day > SESSIONS[0] else []
    new, same = (sum(took[kind]) for kind in KINDS)
    rounds = len(SESSIONS) - 1
    return [
        *(Figure.of(f"a batch with {kind}", "s", took[kind]) for kind in KINDS),
        *(Figure.of(f"batches a minute, {kind}", "", [60 * rounds / sum(took[kind])]) for kind in KINDS),
        Figure.of("batches a minute, nothing new to something new", "ratio", [new / same]),
    ]


def _write(folder: Path, until: date) -> None:
    """Write each symbol's closes of the days up to one of them."""
    days = [until - timedelta(days=back) for back in range(DAYS, -1, -1)]
    for number, symbol in enumerate(SYMBOLS, start=1):
        closes = ((day, 100 + number * math.sin(day.toordinal() / (20 * number))) for day in days)
        lines = "".join(f"{day},{close:.4f}\n" for day, close in closes if day.weekday() < WEEKEND)
        (folder / f"{symbol}.csv").write_text(f"date,close\n{lines}")


def _batch(stack: RunningStack, key: str) -> float:
    """Run a batch; return its seconds."""
    began = time.monotonic()
    stack.trigger(PIPELINE[0], key)
    wait(lambda: _ended(stack, key), BATCH_SECONDS, 0.1)
    return time.monotonic() - began


def _ended(stack: RunningStack, key: str) -> bool:
    runs = stack.runs(GRADING_DAG, partition_key_prefix_pattern=key)
    if any(run["state"] == "failed" for run in runs):
        raise SystemExit(f"grading of batch {key} has failed")
    return any(run["state"] == "success" for run in runs)
