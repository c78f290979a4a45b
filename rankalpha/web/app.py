"""What Airflow's API server serves under /rankalpha, because it needs its database; the plugin mounts it."""

import importlib
import logging

from fastapi import FastAPI

from rankalpha.web.page import PAGE
from rankalpha.web.page.files import PageFiles

log = logging.getLogger(__name__)

ROUTES = {  # modules with a `router`, by what is missing without them
    "the page's data": "rankalpha.web.page.routes",
    "publishing anyway": "rankalpha.web.page.publish_routes",
    "the metrics": "rankalpha.web.metrics.routes",
    "the repair of lost batches": "rankalpha.joins.repair_routes",
    "the clean-up of Airflow's database": "rankalpha.maintenance.metadata_routes",
}


def build() -> FastAPI:
    """Return the app; routes that cannot be imported are logged as an error, and all others are served."""
    made = FastAPI(title="RankAlpha", docs_url=None, redoc_url=None, openapi_url=None)
    for name, module in ROUTES.items():
        try:
            made.include_router(importlib.import_module(module).router)
        except Exception:
            log.exception("RankAlpha does not serve %s, because %s cannot be imported", name, module)
    made.mount(PAGE, PageFiles(), name="page")
    return made


app = build()
