"""The API as a server: its process, its settings, its log."""

import json
import logging
import os
from pathlib import Path

import httpx
import pytest

from tests.support.waiting import wait_for
from tests.unit.apps.support.api_batch import GRADES, NEWER, REFRESH
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.local_servers import service
from tests.unit.apps.support.stage_process import environment, run_process


def test_each_request_is_logged_with_its_batch(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # other tests of this process import Airflow, which disables the loggers that exist by then
    monkeypatch.setattr(logging.getLogger("rankalpha.api"), "disabled", False)
    with caplog.at_level(logging.INFO, "rankalpha.api"):
        client.post(REFRESH)
        client.post(REFRESH, json={"batch": NEWER})
        client.get("/forged%0Aline")
    first, second, forged = (one.message for one in caplog.records if one.name == "rankalpha.api")
    assert f"POST {REFRESH} 200" in first
    assert f"batch={KEY}" in first
    assert f"POST {REFRESH} 404" in second
    assert f"batch={NEWER}" in second
    assert "\n" not in forged


def test_an_unexpected_error_is_a_problem_too_and_its_traceback_is_in_the_log(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise KeyError("secret-17")

    monkeypatch.setattr("apps.api.app.batches", broken)
    for name in ("rankalpha.problems", "uvicorn.error", "uvicorn"):  # whatever another test has configured
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    answer = client.get("/health")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["title"] == "Internal Server Error"
    assert "secret-17" not in answer.text
    said = wait_for("the line", lambda: logged(caplog, "rankalpha.problems"))
    assert said[0].message.startswith("GET /health met an unexpected error")
    kinds = wait_for("its traceback", lambda: [one.exc_info[0] for one in logged(caplog, "uvicorn.error")])
    assert KeyError in kinds
    # the server closes the connection
    assert httpx.get(f"{client.base_url}/openapi.json", trust_env=False).status_code == 200


def logged(caplog: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    """Return the errors of a logger."""
    return [one for one in caplog.records if one.name == name and one.levelno == logging.ERROR]


def test_the_real_server(data: Path, tmp_path: Path) -> None:
    settings = {"RANKALPHA_DATA_DIR": str(data), "GRADING_SENTIMENT_WEIGHT": "0"}
    with (
        service("api", tmp_path / "log", **settings) as url,
        httpx.Client(base_url=url, trust_env=False) as http,
    ):
        assert http.post(REFRESH).json()["graded"] == 4
        assert http.get(f"{GRADES}/AAPL").json()["composite"] == 80.0
        assert json.loads(http.get(GRADES).text)["sentiment_weight"] == 0
    log = (tmp_path / "log").read_text()
    assert f"batch={KEY}" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("app", "key", "value"),
    [
        ("api", "GRADING_SENTIMENT_WEIGHT", "1.5"),
        ("api", "GRADING_SENTIMENT_WEIGHT", "nan"),
        ("api", "GRADING_SENTIMENT_WEIGHT", "much"),
        ("api", "API_PORT", "0"),
        ("api", "API_PORT", "http"),
        ("frontend", "FRONTEND_PORT", "65536"),
        ("frontend", "API_URL", "api:6080"),
    ],
)
def test_malformed_settings_end_the_service(app: str, key: str, value: str) -> None:
    done = run_process(app, environment(**{key: value}))
    assert done.returncode == os.EX_CONFIG
    assert f"{key}={value!r}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
