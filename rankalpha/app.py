"""What Airflow's API server serves under /rankalpha, for what needs its database; the plugin mounts it."""

from fastapi import FastAPI

from rankalpha.maintenance import metadata_routes
from rankalpha.metrics import routes as metrics_routes
from rankalpha.page import PAGE
from rankalpha.page import routes as page_routes
from rankalpha.page.files import PageFiles
from rankalpha.watchdog import repair_routes

app = FastAPI(title="RankAlpha", docs_url=None, redoc_url=None, openapi_url=None)
for module in (metadata_routes, metrics_routes, page_routes, repair_routes):
    app.include_router(module.router)
app.mount(PAGE, PageFiles(), name="page")
