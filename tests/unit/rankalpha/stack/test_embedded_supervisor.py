"""The embedded stack's supervisor: its modules go on in forked processes as `python -m` would run them."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from tests.support.waiting import wait_for

SUPERVISE = "from rankalpha.stack.embedded import supervisor; supervisor.supervise()"
LOAD = """
import gc, json, logging, sys, threading
from apps.common.logs import configure
from rankalpha.stack.embedded import supervisor
supervisor.load()
from airflow.api_fastapi.execution_api.versions import bundle
missing = [name for name in supervisor.SHARED if name not in sys.modules]
server = "airflow.api_fastapi.main" in sys.modules
frozen = gc.get_freeze_count() > 100_000
print(json.dumps([missing, server, threading.active_count(), frozen, len(bundle.versions)]))
configure("json")
logging.getLogger("uvicorn.error").info("started")
"""
PROGRAM = """
import atexit, json, os, signal, sys, threading, time
told = dict(argv=sys.argv, name=__name__, forked="rankalpha.stack.embedded.supervisor" in sys.modules)
handled = [name for name in ("SIGTERM", "SIGHUP", "SIGCHLD") if signal.getsignal(getattr(signal, name))]
print(json.dumps(told | dict(handled=handled, given=os.environ["GIVEN"], pid=os.getpid())))
print("an error", file=sys.stderr)
atexit.register(print, "the end")
threading.Thread(target=lambda: (time.sleep(0.2), print("the thread"))).start()
if sys.argv[1] == "waits":
    time.sleep(60)
if sys.argv[1] == "raises":
    raise LookupError("nothing there")
sys.exit(int(sys.argv[1]) if sys.argv[1].isdigit() else sys.argv[1])
"""
CONF = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[program:other]
command=sh -c "echo $0 is another program"
startsecs=0
autorestart=false
stdout_logfile={folder}/other.log
"""
MODULE = """
[program:{argument}]
command="{python}" -m program {argument}
environment=PYTHONPATH="{folder}",GIVEN="by the file"
startsecs=0
autorestart=false
redirect_stderr=true
stdout_logfile={folder}/{argument}.log
"""
ENDS = {"0": 0, "3": 3, "no-database": 1, "raises": 1}  # by argument: the status that Python ends with


@pytest.fixture(scope="module")
def supervised(tmp_path_factory):
    """Supervise the module with each argument until all that end have ended; give the folder."""
    folder = tmp_path_factory.mktemp("supervised")
    (folder / "program.py").write_text(PROGRAM)
    modules = [MODULE.format(folder=folder, python=sys.executable, argument=one) for one in (*ENDS, "waits")]
    (folder / "supervisord.conf").write_text(CONF.format(folder=folder) + "".join(modules))
    command = [sys.executable, "-c", SUPERVISE, "-c", str(folder / "supervisord.conf")]
    environment = {**os.environ, "SPT_NOENV": "1", "KNOWN_BY": "this"}  # as the layout says
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    for argument in ENDS:
        written(folder / "supervisord.log", f"exited: {argument} ")
    written(folder / "waits.log", "an error")
    yield folder
    process.terminate()
    assert process.wait(30) == 0
    assert not psutil.pid_exists(told(folder, "waits")["pid"])


def written(file, words):
    return wait_for(words, lambda: (text := file.read_text()) * (words in text), forgive=OSError)


def told(folder, argument):
    return json.loads((folder / f"{argument}.log").read_text().splitlines()[0])


def test_a_module_goes_on_in_the_forked_process(supervised):
    first, error, *last = (supervised / "3.log").read_text().splitlines()
    found = json.loads(first)
    assert found.pop("pid")
    assert found == {
        "argv": [str(supervised / "program.py"), "3"],
        "name": "__main__",
        "forked": True,
        "handled": [],
        "given": "by the file",
    }
    assert (error, last) == ("an error", ["the thread", "the end"])


def test_another_program_is_executed(supervised):
    assert written(supervised / "other.log", "program") == "sh is another program\n"


@pytest.mark.parametrize(("argument", "status"), ENDS.items())
def test_a_module_ends_with_the_status_that_python_would_have(supervised, argument, status):
    assert f"exited: {argument} (exit status {status};" in (supervised / "supervisord.log").read_text()


@pytest.mark.parametrize("words", ["no-database", "LookupError: nothing there"])
def test_a_module_that_fails_says_why(supervised, words):
    log = supervised / ("raises.log" if "nothing" in words else f"{words}.log")
    assert words in log.read_text().splitlines()


def test_a_process_is_called_by_its_command_and_keeps_its_environment(supervised):
    process = psutil.Process(told(supervised, "waits")["pid"])
    assert process.cmdline()[0].endswith("-m program waits")
    assert process.environ()["KNOWN_BY"] == "this"


@pytest.fixture(scope="module")
def loaded():
    """What a process prints that has loaded what the components share, as JSON."""
    done = subprocess.run([sys.executable, "-c", LOAD], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()[-2:]]


def test_what_the_components_share_is_there_and_leaves_no_thread_behind(loaded):
    """A process that is forked from one with threads may wait for ever for what a thread has locked."""
    assert loaded[0] == [[], False, 1, True, 1]


def test_a_service_logs_in_its_own_format_whatever_airflow_has_configured(loaded):
    assert (loaded[1]["logger"], loaded[1]["event"]) == ("uvicorn.error", "started")
