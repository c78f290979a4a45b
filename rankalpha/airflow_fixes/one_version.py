"""Has the API server make the requests of tasks in this Airflow's own version only.

Airflow (3.3.2, 3.4.0b2) makes them in eight earlier versions as well, when the first task calls. That takes
three seconds of processor time, in which the API server answers nobody, and 50 MB. It is for tasks of an
older Airflow than the API server's, which the embedded stack cannot have. A stack of containers can, while it
is being upgraded, and stays as it is.
"""

import importlib

from rankalpha.airflow_fixes.fix import AbsentError, Fix, part

APP = "airflow.api_fastapi.execution_api.app"
ROUTES = "airflow.api_fastapi.execution_api.routes"
VERSIONS = "airflow.api_fastapi.execution_api.versions"


def apply() -> None:
    """Put one version in the place of all, and make an app to see that it works; before the first request."""
    bundle, router = part(VERSIONS, "bundle"), part(ROUTES, "execution_api_router")
    spoken = part("airflow.sdk.api.datamodels._generated", "API_VERSION")
    of_older = part("cadwyn.route_generation", "_DELETED_ROUTE_TAG")
    newest = bundle.versions[0]
    if newest.value != spoken:
        raise AbsentError(f"{VERSIONS} has {newest.value} as its newest version, but tasks speak {spoken}")
    versions, routes = importlib.import_module(VERSIONS), list(router.routes)
    only = type(newest)(newest.value)  # without the changes since the one before
    try:
        setattr(versions, "bundle", type(bundle)(bundle.head_version, only))  # noqa: B010  it has no type
        router.routes[:] = [route for route in routes if of_older not in getattr(route, "tags", ())]
        part(part(APP, "create_task_execution_api_app")(), "_cadwyn_initialize")()
    except Exception:
        setattr(versions, "bundle", bundle)  # noqa: B010
        router.routes[:] = routes
        raise


FIX = Fix(name="one_version", versions="3.3.2, 3.4.0b2", apply=apply)
