"""An Airflow that has renamed what our fixes replace: `python -m tests.scheduler.renamed`.

Reads JSON from its arguments: texts of Airflow's source and what they are renamed to. Prints JSON: what came
of the API server's pages, of an executor that has started and ended, or of the other fixes.
"""

import json
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from typing import ClassVar


class Renamed(SourceFileLoader):
    """Loads a module of Airflow from its source, with the new names in it."""

    names: ClassVar[dict[str, str]] = {}

    def get_code(self, fullname):
        text = self.get_data(self.path).decode()
        for old, new in self.names.items():
            text = text.replace(old, new)
        return compile(text, self.path, "exec", dont_inherit=True)


class Finder(MetaPathFinder):
    """Finds the modules of Airflow that hold one of the old names."""

    def find_spec(self, fullname, path, target=None):
        if not fullname.startswith("airflow."):
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec and isinstance(spec.loader, SourceFileLoader):
            text = spec.loader.get_data(spec.origin).decode()
            if any(old in text for old in Renamed.names):
                spec.loader = Renamed(fullname, spec.origin)
        return spec


def pages():
    """Start the API server's app; return the status of Airflow's own address and of two of ours."""
    from airflow.api_fastapi.main import app
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        paths = ("/api/v2/version", "/rankalpha/page/", "/rankalpha/metrics")
        return {path: client.get(path).status_code for path in paths}


def executor():
    """Start our executor, let its heart beat twice, and end it; return how many workers it had."""
    from airflow.utils.process_utils import set_component_mp_start_method

    from rankalpha.airflow_fixes.executor import FailFastLocalExecutor

    set_component_mp_start_method("scheduler")  # as `airflow scheduler` does
    local = FailFastLocalExecutor(parallelism=1)
    local.start()
    workers = len(local.workers) if hasattr(local, "workers") else None
    for _ in range(2):
        local.heartbeat()
    local.end()
    return workers


def others():
    """Apply the fixes of other processes than the API server and the executor; return whether each is on."""
    from rankalpha.airflow_fixes import (
        backfills,
        dag_permissions,
        deferrals,
        one_version,
        short_secrets,
        trials,
        triggers,
    )

    modules = (backfills, dag_permissions, deferrals, one_version, short_secrets, trials, triggers)
    return [module.FIX.on() for module in modules]


if __name__ == "__main__":
    Renamed.names = json.loads(sys.argv[1])
    sys.meta_path.insert(0, Finder())
    what = {"pages": pages, "executor": executor, "others": others}[sys.argv[2]]
    print("CAME OF IT", json.dumps(what()))
