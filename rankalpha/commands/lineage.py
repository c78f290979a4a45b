"""Shows the graph of DAGs and datasets, or what one batch was made of."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from rankalpha.airflow_api import admin_api
from rankalpha.commands.batches import known_batch
from rankalpha.commands.refusals import Refused
from rankalpha.lineage.batch import batch_lineage
from rankalpha.lineage.graph import dag_bag, graph, text
from rankalpha.lineage.mermaid import mermaid
from rankalpha.lineage.show import lines
from rankalpha.pipeline.pipelines import pipeline


def as_json(lineage: Mapping[str, Any]) -> str:
    """Return JSON that a person can read, too."""
    return f"{json.dumps(lineage, indent=2)}\n"


FORMATS: dict[str, Callable[[Mapping[str, Any]], str]] = {"text": text, "mermaid": mermaid, "json": as_json}


def show_graph(kind: str, market: str | None) -> int:
    """Print the graph of all DAGs, or of a market's; Refused for a DAG file that cannot be read."""
    dag_ids = pipeline(market).dag_ids if market else None
    with redirect_stdout(StringIO()):  # Airflow's log; the bag holds what is wrong
        from airflow.configuration import conf  # noqa: PLC0415  heavy, and a batch is shown without it

        bag = dag_bag(Path(conf.get_mandatory_value("core", "dags_folder")))
    if bag.import_errors:
        broken = "".join(f"\n{file}: {error}" for file, error in sorted(bag.import_errors.items()))
        raise Refused(f"the graph would be incomplete; fix these files:{broken}")
    dags = {dag_id: dag for dag_id, dag in bag.dags.items() if dag_ids is None or dag_id in dag_ids}
    sys.stdout.write(FORMATS[kind](graph(dags)))
    return 0


def show_batch(key: str, market: str | None, json_wanted: bool) -> int:
    """Print the lineage of a market's batch. Raises a refusal."""
    api, of_market = admin_api(), pipeline(market)
    lineage = batch_lineage(api, known_batch(api, key, of_market), of_market)
    sys.stdout.write(as_json(lineage) if json_wanted else "".join(f"{line}\n" for line in lines(lineage)))
    return 0
