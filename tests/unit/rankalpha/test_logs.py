import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import structlog
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.logs import bind_batch_of_run, log_refusals_plainly, printed_is_logged
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


FAILING = """
import structlog
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.log import configure_logging
from rankalpha.logs import log_refusals_plainly

configure_logging(json_output=True)
log = structlog.get_logger("task")
log.info("begun")
log_refusals_plainly({})
log_refusals_plainly({})
for error in (AirflowFailException("batch 1 is not published: 100 % of rows"), RuntimeError("it broke")):
    try:
        raise error
    except Exception:
        log.exception("Task failed with exception")
"""


def test_a_refusal_is_one_line_in_the_log_of_a_task_and_another_error_has_its_traceback():
    done = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    begun, refused, broken = map(json.loads, done.stdout.splitlines())
    assert begun["event"] == "begun"
    assert refused["event"] == "Task failed: batch 1 is not published: 100 % of rows"
    assert (refused["level"], set(refused) - set(begun)) == ("error", set())
    assert broken["event"] == "Task failed with exception"
    assert "it broke" in json.dumps(broken["exception"])


@pytest.mark.parametrize(
    ("message", "cause", "plain"),
    [
        ("the setting is wrong", None, True),
        ("the setting is wrong; fix it", ValueError("the setting is wrong"), True),
        ("it cannot be", KeyError("rows"), False),
    ],
)
def test_a_cause_that_a_refusal_does_not_say_is_logged(monkeypatch, message, cause, plain):
    processors = []
    monkeypatch.setattr(structlog, "get_config", lambda: {"processors": processors})
    log_refusals_plainly({})
    (plainly,) = processors
    try:
        raise AirflowFailException(message) from cause
    except AirflowFailException:
        event = plainly(None, "error", {"event": "Task failed with exception", "exc_info": True})
    assert ("exc_info" not in event) is plain
