"""A proxy of the shell or the engine serves calls to the outside, never those to the stack's own services."""

import json
import os
import subprocess
import sys

import pytest
from requests.utils import should_bypass_proxies

from rankalpha.no_proxy import is_own, with_exceptions
from rankalpha.runners.process import ProcessRunner
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.process_helpers import run

NOBODY = "http://127.0.0.1:9"
PROXY = {"HTTP_PROXY": NOBODY, "http_proxy": NOBODY, "HTTPS_PROXY": NOBODY}
DUMP = "import json, os\njson.dump(dict(os.environ), open(os.environ['RANKALPHA_RESULT'], 'w'))"


@pytest.mark.parametrize("key", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:3000/api", True),
        ("http://[::1]:3000", True),
        ("http://api:6080", True),
        ("http://frontend:3000", True),
        ("http://airflow-webserver:8080/execution/", True),
        ("http://10.7.0.5:8080", True),  # where another machine's workers find Airflow
        ("http://wiki.corp.example", True),  # what the user has left out himself
        ("http://ollama:11434/v1", True),  # a container beside the stages
        ("https://query1.finance.yahoo.com", False),
        ("https://api.openai.com", False),
    ],
)
def test_the_stacks_own_hosts_need_no_proxy(monkeypatch, key, url, direct):
    given = {key: NOBODY, "NO_PROXY": "corp.example", "no_proxy": "old.example"}
    given |= {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://10.7.0.5:8080/execution/"}
    given |= {
        "OPENAI_BASE_URL": "http://ollama:11434/v1",
        "SENTIMENT_RSS_URL": "https://query1.finance.yahoo.com/x",
    }
    found = with_exceptions(given)
    assert found["NO_PROXY"] == found["no_proxy"]
    monkeypatch.setenv("no_proxy", found["no_proxy"])
    assert should_bypass_proxies(url, no_proxy=None) is direct


def test_without_a_proxy_nothing_is_added():
    assert with_exceptions({"NO_PROXY": "corp.example", "HTTP_PROXY": "", "PATH": "/bin"}) == {}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://my-api:8000", True),
        ("http://127.0.0.2:1", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.7:1", False),
        ("https://api.example.org", False),
        ("no address", False),
        ("http://[half", False),
    ],
)
def test_a_name_without_dots_is_known_here_only(url, own):
    assert is_own(url) is own


def test_a_health_check_asks_without_a_proxy():
    with local_server(lambda _request: (200, "")) as (url, _):
        command = [sys.executable, "-m", "rankalpha.stack.probe", url]
        assert subprocess.run(command, env=os.environ | PROXY).returncode == 0


def test_a_stage_reaches_the_outside_as_its_user_does_and_the_stack_directly(app_dir, monkeypatch):
    for key, value in PROXY.items():
        monkeypatch.setenv(key, value)
    container = run(app_dir, DUMP)
    seen = json.loads(ProcessRunner().result(container.id, "demo"))
    assert {key: seen[key] for key in PROXY} == PROXY
    assert {"127.0.0.1", "localhost", "api"} <= set(seen["NO_PROXY"].split(","))


def test_a_proxy_of_the_stages_own_env_file_wins(app_dir, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    own = {"HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": "corp.example"}
    container = run(app_dir, DUMP, env={**own, **with_exceptions(own)})
    seen = json.loads(ProcessRunner().result(container.id, "demo"))
    assert seen["HTTP_PROXY"] == own["HTTP_PROXY"]
    assert seen["NO_PROXY"].split(",")[0] == "corp.example"
