"""Runs the services that it is asked for on its standard input, each in a fork of this process.

A stage as the orchestrator starts it spends nearly all of its time on loading what is loaded here once.
Whatever else makes it a process is its own: environment, output, exit status and threads. It does not
sleep: it writes down for how long it would have.
"""

import json
import os
import resource
import runpy
import sys
import time
import traceback
from functools import partial
from pathlib import Path

import yfinance  # noqa: F401

import apps.api.app
import apps.evaluation.work
import apps.frontend.app
import apps.ingestion.work
import apps.scorer.work
import apps.sentiment.batch
import apps.sentiment.language
import apps.sentiment.service
from apps.common.exchange import exchange
from apps.ingestion.sources import csv_files, sample, yahoo  # noqa: F401

FILE_BYTES = "TESTS_FILE_BYTES"  # no file can become longer, as if the disk were full


def become(app: str, environment: dict[str, str], out: str, err: str, slept: str) -> None:
    """Be the process of a service."""
    os.environ.clear()
    os.environ |= environment
    if size := os.environ.pop(FILE_BYTES, None):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
    for descriptor, path in enumerate((os.devnull, out, err)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    time.sleep = partial(note, slept)
    status = 0
    try:
        runpy.run_path(f"apps/{app}/main.py", run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # to take all modules apart would cost more than most stages do


def note(slept: str, seconds: float) -> None:
    """Write down that it sleeps."""
    with Path(slept).open("a") as file:
        print(seconds, file=file)


apps.sentiment.language.identifier()
exchange("XNYS")
for line in sys.stdin:
    if not (child := os.fork()):
        become(**json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
