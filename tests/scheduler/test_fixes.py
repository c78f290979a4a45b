"""Our fixes of Airflow: each is needed, and is off, with a warning, where it cannot work.

`test_clearing.py` has the fix of clearing; the other modules of `rankalpha.airflow_fixes` are here.
"""

import importlib.util
import json
import multiprocessing
import os
import pkgutil
import re
import signal
import subprocess
import sys
from importlib.metadata import version

import psutil
import pytest
from pydantic import ValidationError

import rankalpha.airflow_fixes
from rankalpha.airflow_fixes import assets_view
from rankalpha.airflow_fixes.fix import Fix
from tests.support.waiting import wait_for

FIXES = {name for _, name, _ in pkgutil.iter_modules(rankalpha.airflow_fixes.__path__)} - {"fix"}
KILLED_SCHEDULER = """
import signal, subprocess, sys
from rankalpha.airflow_fixes.scheduler import end_orphans
scheduler = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(next(line for line in scheduler.stdout if line.startswith("worker")), flush=True)
scheduler.kill()
scheduler.wait()
sys.stdin.readline()
end_orphans()
"""
SCHEDULER = """
import signal
from airflow.executors.local_executor import LocalExecutor
from airflow.utils.process_utils import set_component_mp_start_method
set_component_mp_start_method("scheduler")  # as `airflow scheduler` does
local = LocalExecutor(parallelism=1)
local.start()
print("worker", *local.workers, flush=True)
signal.pause()
"""


def run(names, what, root):
    """Start a part of an Airflow with other names; return what came of it, and the warnings of our fixes."""
    command = [sys.executable, "-m", "tests.scheduler.renamed", json.dumps(names), what]
    done = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"AIRFLOW__API_AUTH__JWT_SECRET": "of this test alone, and long enough" * 2},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    came = re.search(r"^CAME OF IT (.*)$", done.stdout, re.MULTILINE)
    assert came, done.stdout
    return json.loads(came[1]), re.findall(r"airflow_fixes/(\w+)\.py is off", done.stdout)


@pytest.mark.parametrize("name", sorted(FIXES))
def test_each_module_declares_its_fix(name):
    fix = importlib.import_module(f"rankalpha.airflow_fixes.{name}").FIX
    assert isinstance(fix, Fix)
    assert fix.name == name
    assert fix.versions


PAGES = {"/api/v2/version": 200, "/rankalpha/page/": 200, "/rankalpha/metrics": 404}  # metrics are off
IN_SERVER = {
    "_recalculate_dagrun_queued_at_deadlines": "_restart_deadlines",
    "DagRunAssetReference": "AssetDagRunReference",
    '"flask_appbuilder": {': '"fab": {',
}
IN_EXECUTOR = {
    "result_queue": "outcomes",
    "airflow worker -- ": "airflow: worker ",
}


def test_the_api_server_starts_also_without_what_the_fixes_replace(airflow_db, root):
    assert run(IN_SERVER, "pages", root) == (PAGES, ["clearing", "assets_view", "fab_log"])


def test_the_executor_starts_also_without_what_the_fixes_replace(airflow_db, root):
    assert run(IN_EXECUTOR, "executor", root) == (1, ["executor", "scheduler"])


def test_the_other_fixes_are_off_without_what_they_replace(root):
    names = {
        "_get_latest_runs_stmt_partitioned": "_latest_runs_of_partitioned",
        "SecretsMasker": "Masker",
        "sync_state_to_supervisor": "tell_supervisor",
        "get_or_create_dagrun": "made_run",
        "anyio.Event": "anyio.Condition",
        "_sync_dag_perms": "_sync_permissions",
        "bundle = VersionBundle(": "versions = VersionBundle(",
    }
    off = [
        "backfills",
        "dag_permissions",
        "deferrals",
        "one_version",
        "short_secrets",
        "trials",
        "triggers",
    ]
    assert run(names, "others", root) == ([False] * len(off), off)


@pytest.fixture
def as_installed(monkeypatch):
    """Return a function that loads a module of Airflow again, without what our fixes have changed in it."""

    def load(module):
        spec = importlib.util.spec_from_file_location("as_installed", module.__file__)
        loaded = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "as_installed", loaded)  # pydantic looks for the module of a model
        spec.loader.exec_module(loaded)
        return loaded

    return load


def test_airflow_3_3_refuses_a_queued_run_in_the_assets_view(as_installed):
    """Airflow 3.4 has the fix: remove rankalpha/airflow_fixes/assets_view.py with 3.3."""
    from airflow.api_fastapi.core_api.datamodels import assets

    model = as_installed(assets).DagRunAssetReference
    queued = dict.fromkeys(model.model_fields) | {
        "run_id": "r",
        "dag_id": "d",
        "state": "queued",
        "triggering": True,
    }
    if version("apache-airflow-core").startswith("3.3."):
        with pytest.raises(ValidationError) as refusal:
            model(**queued)
        assert [error["loc"] for error in refusal.value.errors()] == [("start_date",)]
    assets_view.apply()
    assert assets.DagRunAssetReference(**queued).start_date is None


def test_airflow_itself_logs_the_warnings_of_fab_twice(as_installed):
    """When this fails it does not: remove rankalpha/airflow_fixes/fab_log.py."""
    from airflow.config_templates import airflow_local_settings

    logger = as_installed(airflow_local_settings).DEFAULT_LOGGING_CONFIG["loggers"]["flask_appbuilder"]
    assert (logger["handlers"], logger["propagate"]) == (["console"], True)


@pytest.fixture
def as_scheduler():
    """Workers are started as `airflow scheduler` starts them."""
    from airflow.utils.process_utils import set_component_mp_start_method

    before = multiprocessing.get_start_method()
    set_component_mp_start_method("scheduler")
    yield
    multiprocessing.set_start_method(before, force=True)


@pytest.mark.usefixtures("as_scheduler")
def test_airflow_itself_hangs_when_an_idle_worker_is_killed():
    """When this fails it does not: remove that part of rankalpha/airflow_fixes/executor.py."""
    from airflow.executors.local_executor import LocalExecutor

    local = LocalExecutor(parallelism=1)
    local.start()
    ((pid, worker),) = local.workers.items()
    queue = local.activity_queue._rlock

    def held():
        return not queue.acquire(block=False) or queue.release()

    wait_for("the worker to wait for work", held)
    os.kill(pid, signal.SIGKILL)
    worker.join(60)
    assert held(), "nobody can take work out of the queue any more"


def test_airflow_itself_leaves_workers_behind_and_the_scheduler_ends_them():
    """When the first half fails it does not: remove rankalpha/airflow_fixes/scheduler.py."""
    session = subprocess.Popen(
        [sys.executable, "-c", KILLED_SCHEDULER, SCHEDULER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # workers of other tests are not orphans
    )
    worker = psutil.Process(int(session.stdout.readline().split()[1]))
    wait_for("the worker's title", lambda: "airflow worker" in worker.cmdline()[0])
    wait_for("the end of the scheduler", lambda: worker.parent().pid != session.pid and worker.is_running())
    output, _ = session.communicate("go on\n", timeout=60)
    assert f"Ending process {worker.pid}" in output
    wait_for(
        "the end of the worker",
        lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE,
    )
