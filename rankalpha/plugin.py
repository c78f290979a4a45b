"""The Airflow plugin: what RankAlpha adds to Airflow's API server.

It serves `rankalpha.app` under /rankalpha, shows the operators' page in Airflow's own frame, and hears of
stages that a person ends.

And it keeps the Assets view of Airflow 3.3.2 working while a run is queued. Airflow issue 71360: its API
answers 500 for the events of a dataset as long as a run that one of them has started waits in the queue,
because it takes `start_date` for always set. Fixed upstream; remove this with the release that has the fix
(the tests tell when).
"""

import importlib
import sys
from datetime import datetime
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from rankalpha import clearing
from rankalpha.page import VIEW

API_SERVER = "airflow.api_fastapi.app"
CLEARS_RUNS = "airflow.models.taskinstance"
LISTENER = "rankalpha.watchdog.listener"


def accept_queued_runs() -> None:
    """Let the public API's asset events hold runs that have not started."""
    from airflow.api_fastapi.core_api.datamodels import assets  # noqa: PLC0415  heavy, and only the API server's

    start_date = assets.DagRunAssetReference.model_fields["start_date"]
    if start_date.annotation is datetime:
        start_date.annotation = datetime | None
        for model in (
            assets.DagRunAssetReference,
            assets.AssetEventResponse,
            assets.AssetEventCollectionResponse,
        ):
            model.model_rebuild(force=True)


def log_once() -> None:
    """Take from FAB's logger the handler that Airflow 3.3.2 gives it besides the root's.

    It has no format: each warning would be logged a second time, as text where the logs are to be JSON. FAB
    configures the logs anew after this, hence in the configuration.
    """
    from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG  # noqa: PLC0415

    DEFAULT_LOGGING_CONFIG["loggers"]["flask_appbuilder"]["handlers"] = []


def apps() -> list[dict[str, Any]]:
    """Return what the API server is to serve besides its own."""
    from rankalpha.app import app  # noqa: PLC0415  heavy
    from rankalpha.maintenance.metadata import PREFIX  # noqa: PLC0415  only the API server's

    return [{"name": "RankAlpha", "app": app, "url_prefix": PREFIX}]


class RankAlphaPlugin(AirflowPlugin):
    """Loaded by every Airflow process; acts in those that clear runs, and in the API server."""

    name = "rankalpha"

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Mend the API's data models, and add to its routes."""
        if CLEARS_RUNS in sys.modules:
            clearing.mend()
        if API_SERVER in sys.modules:
            accept_queued_runs()
            log_once()
            cls.fastapi_apps = apps()
            cls.external_views = [VIEW]
            cls.listeners = [importlib.import_module(LISTENER)]
