import json
import logging
import sys

import pytest

from apps.api.settings import Settings
from apps.common.logs import JsonLines
from apps.common.stage import BadConfig


def record(message, *args, **extra):
    made = logging.LogRecord("rankalpha.api", logging.INFO, "app.py", 1, message, args, None)
    made.__dict__ |= extra
    return made


def test_an_event_is_one_json_line_with_its_batch():
    line = JsonLines().format(record("%s\n200", "GET /health", batch="2026-11-22T06:00:00"))
    assert "\n" not in line
    event = json.loads(line)
    assert event.pop("timestamp").endswith("+00:00")
    assert event == {
        "level": "info",
        "event": "GET /health\n200",
        "logger": "rankalpha.api",
        "batch": "2026-11-22T06:00:00",
    }


@pytest.mark.parametrize("extra", [{}, {"batch": ""}])
def test_an_event_of_no_batch_names_none(extra):
    assert "batch" not in json.loads(JsonLines().format(record("started", **extra)))


def test_a_traceback_stays_in_its_line():
    broken = record("broken")
    try:
        int("x")
    except ValueError:
        broken.exc_info = sys.exc_info()
    assert "ValueError: invalid literal" in json.loads(JsonLines().format(broken))["exception"]


def test_a_format_that_is_neither_is_refused(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "yaml")
    with pytest.raises(BadConfig, match="LOG_FORMAT='yaml': Input should be 'text' or 'json'"):
        Settings.from_env()
