"""The Airflow plugin: what RankAlpha adds to Airflow's API server.

It serves `rankalpha.web.app` under /rankalpha, shows the operators' page in Airflow's own frame, and hears of
stages that a person ends.
"""

import importlib
import sys
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from rankalpha.airflow_fixes import assets_view, clearing, fab_log, short_secrets
from rankalpha.web.page import VIEW

API_SERVER = "airflow.api_fastapi.app"
CLEARS_RUNS = "airflow.models.taskinstance"
LISTENER = "rankalpha.watchdog.listener"


def apps() -> list[dict[str, Any]]:
    """Return what the API server is to serve besides its own."""
    from rankalpha.airflow_api import OWN_ROUTES  # noqa: PLC0415  only the API server's
    from rankalpha.web.app import app  # noqa: PLC0415  heavy

    return [{"name": "RankAlpha", "app": app, "url_prefix": OWN_ROUTES}]


class RankAlphaPlugin(AirflowPlugin):
    """Loaded by every Airflow process; acts in those that clear runs, and in the API server."""

    name = "rankalpha"

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Mend the API's data models, and add to its routes."""
        short_secrets.apply()
        if CLEARS_RUNS in sys.modules:
            clearing.mend()
        if API_SERVER in sys.modules:
            assets_view.accept_queued_runs()
            fab_log.log_once()
            cls.fastapi_apps = apps()
            cls.external_views = [VIEW]
            cls.listeners = [importlib.import_module(LISTENER)]
