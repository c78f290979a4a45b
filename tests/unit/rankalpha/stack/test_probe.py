"""The containers' health check against real HTTP servers."""

import json
import subprocess
import sys

import pytest

from tests.support.http_server import local_server

PAGE = json.dumps({"triggerer": {"status": "healthy"}, "scheduler": {"status": "unhealthy"}, "other": None})


def check(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.probe", *arguments], capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("status", "body", "component", "healthy"),
    [
        (200, PAGE, "triggerer", True),
        (200, PAGE, "scheduler", False),
        (200, PAGE, "other", False),
        (200, PAGE, "dag_processor", False),
        (200, "<html>", "triggerer", False),
        (503, PAGE, "triggerer", False),
        (200, "", "", True),
        (404, "", "", True),
        (503, "", "", False),
    ],
)
def test_a_component_is_as_healthy_as_its_page_says(status, body, component, healthy):
    with local_server(lambda _request: (status, body)) as (url, _):
        done = check(url, *([component] if component else []))
    assert done.returncode == (0 if healthy else 1)
    assert (done.stderr == "") == healthy
    assert "Traceback" not in done.stderr


def test_nobody_at_the_address_is_unhealthy():
    done = check("http://127.0.0.1:9/", "triggerer")
    assert done.returncode == 1
    assert "http://127.0.0.1:9/: triggerer" in done.stderr
