"""What the API server serves of ours, also when a part of it cannot be loaded."""

import sys

import pytest
from fastapi.testclient import TestClient

from rankalpha.web.app import ROUTES, build


def paths(app):
    return {route.path for route in app.routes}


def test_all_routes_are_served():
    assert paths(build()) == {
        "/overview",
        "/comparison/{variant}",
        "/lineage/{batch}",
        "/publish-anyway",
        "/metrics",
        "/joins/repair",
        "/metadata/prune",
        "/page",
    }


@pytest.mark.parametrize("missing", ROUTES)
def test_routes_that_cannot_be_imported_are_named_and_all_others_served(monkeypatch, caplog, missing):
    everything = paths(build())
    own = {route.path for route in sys.modules[ROUTES[missing]].router.routes}
    monkeypatch.setitem(sys.modules, ROUTES[missing], None)  # Python refuses to import it then
    app = build()
    assert paths(app) == everything - own
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert f"does not serve {missing}, because {ROUTES[missing]} cannot be imported" in record.getMessage()
    assert TestClient(app).get("/page/").status_code == 200
