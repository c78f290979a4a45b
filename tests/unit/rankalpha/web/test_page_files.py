"""The page's own files: with which headers they are served, and what stands in them."""

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rankalpha.web.page import VIEW
from rankalpha.web.page.files import HEADERS, STATIC, PageFiles


@pytest.fixture
def client():
    app = FastAPI()
    app.mount("/page", PageFiles())
    return TestClient(app)


def test_every_file_has_the_headers_also_when_it_is_not_sent_again(client):
    for name in ["", *(path.name for path in STATIC.iterdir())]:
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 200, name
        again = client.get(f"/page/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304, name
        for response in (answer, again):
            assert {key: response.headers.get(key) for key in HEADERS} == HEADERS


def test_only_airflows_frame_may_hold_it_and_only_its_own_scripts_run(client):
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "frame-ancestors")} == {
        "'self'"
    }


def test_nothing_outside_of_the_folder_is_served(client):
    for path in ("/page/../files.py", "/page/%2e%2e/files.py", "/page/none.js"):
        assert client.get(path).status_code == 404


def test_no_file_loads_from_elsewhere_or_makes_markup_of_text():
    for path in STATIC.iterdir():
        text = path.read_text().replace("http://www.w3.org/", "")
        markup = r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\("
        assert not re.search(markup, text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)| on\w+=|style=", text) or path.suffix == ".js", path


def test_the_navigation_entry_is_relative_so_that_a_prefix_holds():
    assert not any(VIEW[key].startswith("/") for key in ("href", "icon", "icon_dark_mode"))
    for key in ("icon", "icon_dark_mode"):
        assert (STATIC / VIEW[key].rsplit("/", 1)[1]).exists()
