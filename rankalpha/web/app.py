"""What Airflow's API server serves under /rankalpha, for what needs its database; the plugin mounts it."""

from fastapi import FastAPI

from rankalpha.joins import repair_routes
from rankalpha.maintenance import metadata_routes
from rankalpha.web.metrics import routes as metrics_routes
from rankalpha.web.page import PAGE
from rankalpha.web.page import routes as page_routes
from rankalpha.web.page.files import PageFiles

app = FastAPI(title="RankAlpha", docs_url=None, redoc_url=None, openapi_url=None)
for module in (metadata_routes, metrics_routes, page_routes, repair_routes):
    app.include_router(module.router)
app.mount(PAGE, PageFiles(), name="page")
