"""Show the graph of DAGs and datasets or, with --batch, what one batch was made of.

The graph is read from the DAG files, and nothing has to run for it. Exit status: 0 done, 2 refused: there is
no such batch, or Airflow's API does not answer or does not let the user in.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from rankalpha.airflow_api import admin_api
from rankalpha.commands.rerun import REFUSALS, known_batch
from rankalpha.lineage.batch import batch_lineage
from rankalpha.lineage.graph import dag_bag, graph, text
from rankalpha.lineage.mermaid import mermaid
from rankalpha.lineage.show import lines
from rankalpha.pipeline.pipelines import Pipeline, pipeline
from rankalpha.settings import SettingsError

BUNDLE = Path(__file__).resolve().parents[1]
REFUSED = 2


def as_json(found: Mapping[str, Any]) -> str:
    """Return JSON that a person can read, too."""
    return f"{json.dumps(found, indent=2)}\n"


FORMATS: dict[str, Callable[[Mapping[str, Any]], str]] = {"text": text, "mermaid": mermaid, "json": as_json}


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--format", choices=FORMATS, help="how the graph is printed; default is text")
    parser.add_argument("--batch", metavar="KEY", help="a batch, such as 2026-11-22T06:00:00")
    parser.add_argument("--json", action="store_true", help="print the batch's lineage as JSON")
    parser.add_argument("--market", help="of a batch: `default`, unless told otherwise; of the graph: all")
    asked = parser.parse_args()
    if asked.batch is not None and asked.format:
        parser.error("--format is for the graph; a batch is printed as text or, with --json, as JSON")
    if asked.json and asked.batch is None:
        parser.error("--json is for a batch, see --batch; the graph has --format json")
    return asked


def show_graph(kind: str, market: Pipeline | None) -> int:
    """Print the graph of all DAGs, or of a market's; a DAG file that cannot be read is refused."""
    with redirect_stdout(StringIO()):  # Airflow's log; what is wrong stands in the bag
        bag = dag_bag(BUNDLE)
    if bag.import_errors:
        broken = "".join(f"\n{file}: {error}" for file, error in sorted(bag.import_errors.items()))
        print(f"error: the graph would not be whole, mend these files:{broken}", file=sys.stderr)
        return REFUSED
    dags = {dag_id: dag for dag_id, dag in bag.dags.items() if market is None or dag_id in market.dag_ids}
    sys.stdout.write(FORMATS[kind](graph(dags)))
    return 0


def show_batch(key: str, market: Pipeline, json_wanted: bool) -> int:
    """Print the lineage of a market's batch."""
    try:
        api = admin_api()
        found = batch_lineage(api, known_batch(api, key, market), market)
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    sys.stdout.write(as_json(found) if json_wanted else "".join(f"{line}\n" for line in lines(found)))
    return 0


def main() -> int:
    """Print what the arguments ask for."""
    asked = arguments()
    try:
        if asked.batch is not None:
            return show_batch(asked.batch, pipeline(asked.market), asked.json)
        return show_graph(asked.format or "text", pipeline(asked.market) if asked.market else None)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
