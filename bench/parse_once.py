"""Parse each path of the arguments as DAGs, each in a process of its own, and print a JSON line for each.

As in Airflow's DAG processor, that process is a fork of one that has imported Airflow, but no DAG yet.
"""

import gc
import json
import multiprocessing
import sys
import time
from typing import Any

import psutil
from airflow.dag_processing.dagbag import DagBag
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

asked = {"connections": 0, "queries": 0}


def parse(path: str) -> dict[str, Any]:
    """Return what parsing `path` takes and loads, and what it asked of a database or an API meanwhile."""
    asked.update(connections=0, queries=0)
    modules, memory = len(sys.modules), psutil.Process().memory_full_info().pss
    cpu, wall = time.process_time(), time.perf_counter()
    bag = DagBag(path)
    spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    spent["memory"] = (psutil.Process().memory_full_info().pss - memory) / 1e6  # MB
    spent["modules"] = len(sys.modules) - modules
    return {"path": path, **spent, **asked, "dags": len(bag.dags), "errors": bag.import_errors}


def count(what: str) -> None:
    """Count one more request."""
    asked[what] += 1


def main() -> None:
    """Count, then parse."""
    event.listen(Engine, "before_cursor_execute", lambda *_: count("queries"))
    # psycopg2 connects in C, which no audit hook sees; SQLAlchemy's pool does
    event.listen(Pool, "connect", lambda *_: count("connections"))
    sys.addaudithook(lambda name, _: count("connections") if name == "socket.connect" else None)
    gc.freeze()  # as the DAG processor does, so that no fork searches Airflow itself for garbage
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        for measured in pool.imap(parse, sys.argv[1:], chunksize=1):
            print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()
