"""The Airflow plugin: what RankAlpha adds to Airflow's API server.

It serves `rankalpha.web.app` under /rankalpha, shows the operators' page in Airflow's own frame, refuses to
trigger a DAG for a batch that cannot be, and listens for stages that a person ends. It also applies the fixes
of `rankalpha.airflow_fixes` that act in the API server, the DAG processor, the triggerer, and processes that
clear runs or try something out.
"""

import importlib
import logging
import sys
from collections.abc import Callable
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from rankalpha.airflow_fixes import (
    assets_view,
    backfills,
    clearing,
    dag_permissions,
    deferrals,
    fab_log,
    short_secrets,
    trials,
    triggers,
)

API_SERVER = "airflow.api_fastapi.main"
CLEARS_RUNS = "airflow.models.taskinstance"
RUNS_TRIGGERS = "airflow.jobs.triggerer_job_runner"
SCHEDULES = "airflow.dag_processing.collection"
TRIES = {"airflow.cli.commands.dag_command", "airflow.cli.commands.task_command"}

log = logging.getLogger(__name__)


def apps() -> list[dict[str, Any]]:
    """Return what the API server serves besides its own pages."""
    from rankalpha.airflow_api import OWN_ROUTES  # noqa: PLC0415  only the API server's
    from rankalpha.web.app import app  # noqa: PLC0415  heavy

    return [{"name": "RankAlpha", "app": app, "url_prefix": OWN_ROUTES}]


def views() -> list[dict[str, Any]]:
    """Return the page that Airflow shows in its own frame."""
    from rankalpha.web.page import VIEW  # noqa: PLC0415  only the API server's

    return [VIEW]


def listeners() -> list[Any]:
    """Return the modules whose hooks Airflow calls."""
    return [importlib.import_module("rankalpha.watchdog.listener")]


def middlewares() -> list[dict[str, Any]]:
    """Return what looks at requests before Airflow answers them."""
    from rankalpha.web.trigger_keys import TriggerKeys  # noqa: PLC0415  only the API server's

    return [{"name": "RankAlpha partition keys", "middleware": TriggerKeys}]


# what the API server gets: an attribute of the plugin, and what makes its value
PARTS: dict[str, Callable[[], list[Any]]] = {
    "fastapi_apps": apps,
    "fastapi_root_middlewares": middlewares,
    "external_views": views,
    "listeners": listeners,
}


class RankAlphaPlugin(AirflowPlugin):
    """Loaded by every Airflow process; acts in some of them."""

    name = "rankalpha"

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Apply the fixes and add to the API server; a part that cannot be loaded takes no other with it."""
        short_secrets.FIX.on()
        if CLEARS_RUNS in sys.modules:
            clearing.FIX.on()
        if SCHEDULES in sys.modules:
            backfills.FIX.on()
            dag_permissions.FIX.on()
        if RUNS_TRIGGERS in sys.modules:
            triggers.FIX.on()
            deferrals.FIX.on()
        if TRIES & sys.modules.keys():
            trials.FIX.on()
        if API_SERVER not in sys.modules:
            return
        assets_view.FIX.on()
        fab_log.FIX.on()
        for name, make in PARTS.items():
            try:
                setattr(cls, name, make())
            except Exception:  # otherwise Airflow would drop the whole plugin
                log.exception("RankAlpha's part %s of the API server is missing", name)
