import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import structlog

from rankalpha.logs import bind_batch_of_run, printed_is_logged
from rankalpha.settings import LogSettings, SettingsError

SAYING = """
import logging
from rankalpha.logs import bind_batch, configure, printed_is_logged
from rankalpha.commands.progress_bar import Progress

configure()
logging.getLogger("demo").info("listening on %s", 2375)
bind_batch("2026-11-22T06:00:00")
with printed_is_logged():
    print("two\\nlines", flush=True)
    print("error: not ready")
    Progress("2026-11-22T06:00:00")
try:
    {}["key"]
except KeyError:
    logging.getLogger("demo").exception("went wrong\\nin two lines")
"""


def said(**env: str) -> list[str]:
    environment = {**os.environ, **env}
    done = subprocess.run([sys.executable, "-c", SAYING], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr.splitlines()


def test_a_process_that_is_not_airflows_logs_one_json_line_an_event():
    first, *lines, wrong = map(json.loads, said(AIRFLOW__LOGGING__JSON_LOGS="True"))
    assert (first["event"], first["level"], first["logger"]) == ("listening on 2375", "info", "demo")
    assert first["timestamp"].endswith("Z")
    assert "batch" not in first
    assert [(line["event"], line["level"]) for line in lines] == [
        ("two", "info"),
        ("lines", "info"),
        ("error: not ready", "error"),
        ("   0.0 s  Following batch 2026-11-22T06:00:00", "info"),
    ]
    assert {line["batch"] for line in [*lines, wrong]} == {"2026-11-22T06:00:00"}
    assert wrong["exception"][0]["exc_type"] == "KeyError"


def test_text_is_the_default():
    first = said()[0]
    assert first.endswith(" INFO listening on 2375")


def test_a_switch_that_is_neither_is_named(monkeypatch):
    monkeypatch.setenv("AIRFLOW__LOGGING__JSON_LOGS", "perhaps")
    with pytest.raises(SettingsError, match="AIRFLOW__LOGGING__JSON_LOGS='perhaps'"):
        LogSettings.load()


def test_what_is_printed_after_all_is_printed(capsys):
    with printed_is_logged():
        print("logged")
    print("printed")
    assert capsys.readouterr().out == "printed\n"


@pytest.mark.parametrize(("key", "bound"), [("2026-11-22T06:00:00", True), (None, False)])
def test_a_run_that_was_given_its_batch_names_it(key, bound):
    with structlog.contextvars.bound_contextvars():
        structlog.contextvars.clear_contextvars()
        bind_batch_of_run({"dag_run": SimpleNamespace(partition_key=key)})
        assert structlog.contextvars.get_contextvars() == ({"batch": key} if bound else {})


MASKING = """
import structlog
from airflow.sdk.log import mask_secret
from rankalpha.logs import mask_output

structlog.configure(processors=[structlog.processors.JSONRenderer()], cache_logger_on_first_use=True)
log = structlog.get_logger()
mask_secret("sesame-17")
log.info("POST /sesame-17")
mask_output()
mask_output()
log.info("POST /sesame-17", address=["/sesame-17"])
log.info("x" * 64_000)
"""


def test_a_process_masks_in_its_output_what_its_tasks_have_named_as_secret():
    """Also by loggers that it has used before."""
    done = subprocess.run([sys.executable, "-c", MASKING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    unmasked, masked, long = map(json.loads, done.stdout.splitlines())
    assert unmasked == {"event": "POST /sesame-17"}, "as Airflow does by itself"
    assert masked == {"event": "POST /***", "address": ["/***"]}
    assert len(long["event"]) == 2_000, "a pipe keeps lines of several processes apart up to 4,096 bytes"
    assert "characters are left out" in long["event"]
