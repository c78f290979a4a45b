"""Part `markets`: what 1, 10 and 100 pipelines cost that are made from one file of markets."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.idle import loads, memory
from bench.parse import of_markets
from bench.report import Figure, say
from bench.stack import OWN_DAGS, noop, ours, wait, wait_for_dags
from rankalpha.pipeline.batch import key_of
from tests.support.checkout import ROOT
from tests.support.embedded_stack import RunningStack
from tests.support.services import FRONTEND, RecordingServices

COUNTS = (1, 10, 100)
PARSES = 3
AT_ONCE = 50  # batches, each of another market, where there are most
GRADED_SECONDS = 300
COMPONENTS = ("scheduler", "dag-processor")


def measure() -> list[Figure]:
    """Parse the DAG folder, watch the idle stack, and run batches at once, with each number of markets."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        files = {count: _file(Path(folder, f"markets-{count}.toml"), count) for count in COUNTS}
        parsed = [figure for count, file in files.items() for figure in _parse(count, file)]
        return parsed + [figure for count, file in files.items() for figure in _run(count, file)]


def _market(number: int) -> str:
    return f"m{number:03}"


def _file(path: Path, count: int) -> Path:
    path.write_text("".join(f"[{_market(number)}]\n" for number in range(1, count + 1)))
    return path


def _parse(count: int, file: Path) -> list[Figure]:
    runs = of_markets(ROOT / "dags", file, PARSES)
    say(f"Parsed {runs[0]['dags']} DAGs of {count} markets")
    calls = [run["connections"] + run["queries"] for run in runs]
    return [
        Figure.of(f"parsing, {named(count)}", "CPU s", [run["cpu"] for run in runs]),
        Figure.of(f"calls while parsing, {named(count)}", "", calls),
    ]


def named(count: int) -> str:
    """Return how many markets these are in words."""
    return f"{count} market" if count == 1 else f"{count} markets"


def _run(count: int, file: Path) -> list[Figure]:
    """Run a stack with so many markets; watch it idle, then run the batches of some at once."""
    services = RecordingServices()
    try:
        with ours(OWN_DAGS, env=noop(services.url), RANKALPHA_MARKETS=str(file)) as stack:
            wait_for_dags(stack, *(f"rankalpha_{_market(number)}_grading" for number in (1, count)))
            say(f"Watching the stack of {named(count)} idle")
            running = stack.processes()
            ids = {name: [running[f"airflow:{name}"]] for name in COMPONENTS}
            cores = loads(ids)
            idle = [
                *(
                    Figure.of(f"CPU of the idle {name}, {named(count)}", "cores", [cores[name]])
                    for name in ids
                ),
                *(
                    Figure.of(f"memory of the idle {name} (PSS), {named(count)}", "MB", [memory(ids[name])])
                    for name in ids
                ),
            ]
            return idle + ([_at_once(stack, services, count)] if count == COUNTS[-1] else [])
    finally:
        services.close()


def _at_once(stack: RunningStack, services: RecordingServices, count: int) -> Figure:
    """Trigger a batch of each of some markets at once; return when all were graded."""
    began, key = time.monotonic(), key_of(datetime.now(UTC))
    for number in range(1, AT_ONCE + 1):
        stack.trigger(f"rankalpha_{_market(number)}_ingestion", key)
    wait(lambda: len(services.asked(FRONTEND)) >= AT_ONCE, GRADED_SECONDS, 0.1)
    took = time.monotonic() - began
    say(f"{AT_ONCE} batches at once took {took:.1f} s with {named(count)}")
    return Figure.of(f"{AT_ONCE} batches at once until graded, {named(count)}", "s", [took])
