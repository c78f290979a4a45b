"""How processes end: stopped with their children, or killed together with what watches them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from rankalpha.containers.durable import check_exit
from rankalpha.runners import process_start, process_stop
from rankalpha.runners.failures import StageFailed, StageInvalid
from rankalpha.runners.process import ProcessRunner
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.demo_stage import job, stage
from tests.unit.rankalpha.support.process_helpers import (
    NAME,
    UNTIL_GO,
    alive,
    ended,
    leader,
    output,
    printed,
    run,
    start,
)

FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import os, signal, time
signal.signal(signal.SIGTERM, {disposition})
print(os.getppid(), os.getpid(), flush=True)
open("ready", "w").close()
time.sleep(3600)
'''], start_new_session={session})
while not os.path.exists("ready"): time.sleep(0.02)
{first}
print("ready", flush=True)
{then}
"""


@pytest.fixture(autouse=True)
def folder(app_dir) -> Path:
    return app_dir


def family(container) -> list[int]:
    """Return the process ids of the stage and its child, both ready."""
    wait_for("the family to be ready", lambda: "ready" in printed(container))
    return [int(pid) for pid in printed(container)[0].split()]


@pytest.mark.parametrize("disposition", ["signal.SIG_DFL", "signal.SIG_IGN"])
@pytest.mark.parametrize("ignored", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_stop_ends_the_whole_group_within_the_grace_period(folder, monkeypatch, disposition, ignored):
    monkeypatch.setattr(process_stop, "GRACE_SECONDS", 60)
    then = "time.sleep(3600)"
    code = FAMILY.format(disposition=disposition, session=False, first=ignored, then=then)
    container = start(folder, code)
    pids = family(container)
    assert all(map(alive, pids))
    if ignored:
        monkeypatch.setattr(process_stop, "GRACE_SECONDS", 1)  # over, and then it is killed
    ProcessRunner().stop(container.id)
    assert not any(map(alive, pids))
    assert ended(container).status == 128 + (signal.SIGKILL if ignored else signal.SIGTERM)


def test_stop_asks_the_whole_group_first(folder):
    container = start(
        folder,
        "import signal, subprocess, sys\n"
        "code = 'import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print(7))); "
        "print(3, flush=True); time.sleep(3600)'\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "subprocess.run([sys.executable, '-c', code])\n",
    )
    wait_for("the child", lambda: printed(container) == ["3"])
    ProcessRunner().stop(container.id)
    assert printed(container) == ["3", "7"]  # the child has ended in order, and so has its parent
    assert ended(container).status == 0


def test_stop_before_the_start_and_after_the_end_is_harmless(folder):
    ProcessRunner().stop(ProcessRunner().create(job(), f"{NAME}-try1").id)
    container = run(folder, "")
    ProcessRunner().stop(container.id)
    assert ended(container).status == 0


def test_what_is_only_just_being_started_is_stopped(folder, monkeypatch):
    monkeypatch.setattr(process_start, "START_SECONDS", 0.001)  # start() returns before the shim has begun
    container = start(folder, UNTIL_GO)
    assert (container.started, ProcessRunner().inspect(container.id).started) == (None, None)
    monkeypatch.setattr(process_start, "START_SECONDS", 10)
    ProcessRunner().stop(container.id)
    assert ProcessRunner().inspect(container.id).status == 128 + signal.SIGTERM


@pytest.mark.parametrize("session", [False, True])
def test_what_a_stage_leaves_behind_does_not_hold_it(folder, session):
    code = FAMILY.format(disposition="signal.SIG_IGN", session=session, first="", then="")
    container = run(folder, code)  # while the child would sleep for an hour
    assert container.status == 0
    child = family(container)[1]
    assert alive(child) == session  # only what has left the group escapes
    if session:
        os.kill(child, signal.SIGKILL)


def test_a_process_that_has_got_the_number_is_never_signalled(tmp_path):
    container = ProcessRunner().create(job(), NAME)
    victim = subprocess.Popen(["sleep", "60"], start_new_session=True)  # the leader of a group, as a stage is
    started = {"pid": victim.pid, "time": "2025-11-20T06:00:00.000000000Z"}
    (tmp_path / "processes" / NAME / "started.json").write_text(json.dumps(started))
    try:
        assert not ProcessRunner().inspect(container.id).running
        ProcessRunner().stop(container.id)
        ProcessRunner().remove(container.id)
        assert alive(victim.pid)
    finally:
        victim.kill()
        victim.wait()


def test_a_stage_whose_shim_was_killed_runs_on_and_ends_with_an_unknown_status(folder):
    container = start(folder, UNTIL_GO)
    shim = leader(container).parent()
    shim.kill()
    wait_for("the end of the shim", lambda: not alive(shim.pid))
    looked = ProcessRunner().inspect(container.id)
    assert (looked.running, looked.status, looked.ended) == (True, None, None)
    (folder / "go").touch()
    looked = ended(container)
    assert (looked.status, bool(looked.ended)) == (None, True)
    with pytest.raises(StageFailed, match=r"ended\. Its supervising process was killed") as caught:
        check_exit(stage(), looked, printed(container))
    assert not isinstance(caught.value, StageInvalid)


def test_a_stage_whose_shim_was_killed_can_be_stopped(folder):
    container = start(folder, UNTIL_GO)
    pid = leader(container).pid
    leader(container).parent().kill()
    ProcessRunner().stop(container.id)
    wait_for("the end of the stage", lambda: not alive(pid))
    assert not ProcessRunner().inspect(container.id).running


def test_a_stage_that_was_killed_with_its_shim_has_ended(folder):
    container = start(folder, "print('to the end')" + UNTIL_GO)
    wait_for("the first line", lambda: printed(container))
    shim, stage_itself = leader(container).parent(), leader(container)
    shim.kill()
    stage_itself.kill()
    looked = ended(container)
    assert (looked.status, bool(looked.started), bool(looked.ended)) == (None, True, True)
    assert [line.text for line in output(container)] == ["to the end"]


def test_a_stage_that_was_killed_has_a_shells_status(folder):
    container = start(folder, UNTIL_GO)
    leader(container).kill()
    assert ended(container).status == 128 + signal.SIGKILL


def test_a_shim_that_is_asked_to_end_asks_its_stage(folder):
    # an exception could get lost in one of Python's own callbacks
    code = "import os, signal\nsignal.signal(15, lambda *_: os._exit(9))\nprint(1, flush=True)" + UNTIL_GO
    container = start(folder, code)
    wait_for("the first line", lambda: printed(container))
    leader(container).parent().terminate()
    assert ended(container).status == 9
