import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from rankalpha_helpers import KEY, job

from rankalpha.runners import StageFailed, StageInvalid, process, runner
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import SettingsError

log = logging.getLogger("stage")


@pytest.fixture(autouse=True)
def app_dir(tmp_path, monkeypatch, caplog) -> Path:
    """The checkout that the runner starts stages in."""
    monkeypatch.setenv("RANKALPHA_APP_DIR", str(tmp_path))
    monkeypatch.setenv("RANKALPHA_RUNNER", "process")
    caplog.set_level("INFO")
    return tmp_path


def run(folder: Path, code: str, **parts: object) -> bytes:
    (folder / "main.py").write_text(code)
    return ProcessRunner().run(job(**parts), log)


def wait_until(condition, what: str) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_the_setting_chooses_the_runner(monkeypatch):
    assert isinstance(runner(), ProcessRunner)


def test_an_unknown_runner_is_named(monkeypatch):
    monkeypatch.setenv("RANKALPHA_RUNNER", "podman")
    with pytest.raises(
        SettingsError, match="RANKALPHA_RUNNER='podman' is unknown; use one of docker, process"
    ):
        runner()


def test_output_is_logged_line_by_line_in_order(app_dir, caplog):
    run(
        app_dir,
        "import sys\n"
        "for n in range(50): print(n, file=sys.stderr if n % 3 else sys.stdout)\n"
        "print('ä', end='')",
    )
    lines = [record.getMessage() for record in caplog.records if record.name == "stage"]
    assert lines[1:] == [*map(str, range(50)), "ä"]


def test_output_shows_while_the_stage_runs(app_dir, caplog):
    (app_dir / "main.py").write_text(
        "import pathlib, time\nprint('waiting')\nwhile not pathlib.Path('go').exists(): time.sleep(0.02)"
    )
    thread = threading.Thread(target=ProcessRunner().run, args=(job(), log))
    thread.start()
    wait_until(lambda: "waiting" in caplog.text, "the first line")
    assert thread.is_alive()
    (app_dir / "go").touch()
    thread.join(15)
    assert not thread.is_alive()


def test_output_that_is_no_utf8_does_not_break_the_stage(app_dir, caplog):
    run(app_dir, r"import sys; sys.stdout.buffer.write(b'a\xffb\n')")
    assert "a\ufffdb" in caplog.text


def test_the_result_is_collected_and_its_folder_removed(app_dir):
    raw = run(
        app_dir,
        "import os, pathlib\npath = os.environ['RANKALPHA_RESULT']\npathlib.Path(path).write_text(path)",
    )
    assert raw.startswith(b"/")
    assert not Path(raw.decode()).parent.exists()


def test_no_result_is_no_error(app_dir):
    assert run(app_dir, "") == b""


def test_a_failed_stage_is_quoted(app_dir):
    with pytest.raises(StageFailed) as caught:
        run(app_dir, "for n in range(100): print('line', n)\nraise SystemExit(3)")
    text = str(caught.value)
    assert text.startswith(f"stage demo of batch {KEY} exited with 3. Last lines:\n")
    assert [line.strip() for line in text.splitlines()[1:]] == [f"line {n}" for n in range(80, 100)]


def test_a_stage_that_fails_in_silence(app_dir):
    with pytest.raises(StageFailed, match=r"exited with 1\. Last lines: It printed nothing"):
        run(app_dir, "raise SystemExit(1)")


@pytest.mark.parametrize("status", [64, 65, 78])
def test_wrong_usage_data_and_configuration_do_not_heal(app_dir, status):
    with pytest.raises(StageInvalid, match=f"exited with {status}"):
        run(app_dir, f"raise SystemExit({status})")


@pytest.mark.parametrize("status", [1, 2, 69, 70, 75, 77, 79, 137])
def test_any_other_status_may_heal(app_dir, status):
    with pytest.raises(StageFailed, match=f"exited with {status}") as caught:
        run(app_dir, f"raise SystemExit({status})")
    assert not isinstance(caught.value, StageInvalid)


def test_a_stage_that_was_killed_may_heal(app_dir):
    with pytest.raises(StageFailed, match="exited with -9") as caught:
        run(app_dir, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert not isinstance(caught.value, StageInvalid)


@pytest.mark.parametrize("command", ["no-such-program main.py", "./main.py", "python 'main.py", "''"])
def test_a_command_that_cannot_start_is_named(app_dir, command):
    with pytest.raises(StageInvalid) as caught:
        run(app_dir, "", command=command)
    assert str(caught.value).startswith(f"cannot start stage demo: {command!r} in {app_dir}: ")


def test_a_missing_working_folder_is_named(app_dir):
    with pytest.raises(StageInvalid, match=f"in {app_dir}/apps/absent: "):
        run(app_dir, "", working_dir="/app/apps/absent")


FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import os, signal, sys, time
signal.signal(signal.SIGTERM, {disposition})
print(os.getppid(), os.getpid(), flush=True)
time.sleep({seconds})
'''])
{then}
"""


@pytest.mark.parametrize("disposition", ["signal.SIG_DFL", "signal.SIG_IGN"])
@pytest.mark.parametrize("leader", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_stop_ends_the_whole_group_within_the_grace_period(app_dir, monkeypatch, caplog, disposition, leader):
    monkeypatch.setattr(process, "GRACE_SECONDS", 1)
    then = f"import signal\n{leader}\ntime.sleep(60)"
    (app_dir / "main.py").write_text(FAMILY.format(disposition=disposition, seconds=60, then=then))
    stage, failed = ProcessRunner(), []

    def work() -> None:
        try:
            stage.run(job(), log)
        except StageFailed as error:
            failed.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: caplog.messages and caplog.messages[-1][0].isdigit(), "the family's process ids")
    family = [int(pid) for pid in caplog.messages[-1].split()]
    assert all(map(alive, family))
    started = time.monotonic()
    stage.stop()
    thread.join(15)
    assert time.monotonic() - started < 5
    wait_until(lambda: not any(map(alive, family)), f"the end of {family}")
    expected = signal.SIGKILL if leader else signal.SIGTERM
    assert failed[0].startswith(f"stage demo of batch {KEY} exited with -{int(expected)}")


def test_stop_asks_the_whole_group_first(app_dir, caplog):
    (app_dir / "main.py").write_text(
        "import signal, subprocess, sys\n"
        "code = 'import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print(7))); "
        "print(3, flush=True); time.sleep(60)'\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "subprocess.run([sys.executable, '-c', code])\n"
    )
    stage = ProcessRunner()
    thread = threading.Thread(target=stage.run, args=(job(), log))
    thread.start()
    wait_until(lambda: "3" in caplog.messages, "the child")
    stage.stop()
    thread.join(15)
    assert caplog.messages[-1] == "7"  # the child has ended in order, and so has its parent


def test_stop_before_and_after_a_run_is_harmless(app_dir):
    (app_dir / "main.py").touch()
    stage = ProcessRunner()
    stage.stop()
    stage.run(job(), log)
    stage.stop()


def test_what_a_stage_leaves_behind_ends_with_it(app_dir, caplog):
    then = "time.sleep(1)"
    started = time.monotonic()
    run(app_dir, FAMILY.format(disposition="signal.SIG_IGN", seconds=60, then=then))
    assert time.monotonic() - started < 15
    child = int(caplog.messages[-1].split()[1])
    wait_until(lambda: not alive(child), f"the end of {child}")


def test_the_environment_is_that_of_the_image_and_the_stage(app_dir, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.setenv("PARENTS", "own")
    monkeypatch.setenv("RANKALPHA_DATA_DIR", "/somewhere/data")
    dump = "import json, os\njson.dump(dict(os.environ), open(os.environ['RANKALPHA_RESULT'], 'w'))"
    keys = ("RANKALPHA_DATA_DIR", "DEMO_DATA_DIR")
    seen = json.loads(run(app_dir, dump, env={"DEPTH": "3"}, data_dir_keys=keys))
    own = {"RANKALPHA_BATCH": KEY, "DEPTH": "3"} | dict.fromkeys(keys, "/somewhere/data")
    assert {key: seen[key] for key in own} == own
    assert seen["PYTHONPATH"] == str(app_dir)
    assert Path(seen["HOME"]) == Path(seen["RANKALPHA_RESULT"]).parent
    assert Path(seen["PATH"].split(":")[0]) == Path(sys.executable).parent
    image = {"PATH", "HOME", "LANG", "PYTHONPATH", "PYTHONUNBUFFERED", "RANKALPHA_STACK", "RANKALPHA_RESULT"}
    rest = seen.keys() - own.keys() - image - {key for key in seen if key.startswith("UV_")}
    assert rest <= {"LC_CTYPE"}  # set by Python itself
    assert "s3cret" not in json.dumps(seen)


def test_the_stage_says_how_it_is_found_again(app_dir, monkeypatch):
    monkeypatch.setenv("RANKALPHA_STACK", "/somewhere/.rankalpha")
    code = "import os; open(os.environ['RANKALPHA_RESULT'], 'w').write(os.environ['RANKALPHA_STACK'])"
    assert run(app_dir, code) == b"/somewhere/.rankalpha"


def test_a_stage_cannot_read_the_terminal(app_dir):
    read, write = os.pipe()
    os.write(write, b"typed")
    os.close(write)
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        assert run(app_dir, "import sys; assert sys.stdin.read() == ''") == b""
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(read)


def test_uv_run_uses_this_environment_and_no_network(app_dir, monkeypatch):
    """As the sentiment stage is started, with a project around it that cannot be installed."""
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9")
    (app_dir / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["no-such-package-of-rankalpha"]\n'
    )
    folder = app_dir / "apps" / "sentiment"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(
        "import os, sys, pydantic\n"
        "open(os.environ['RANKALPHA_RESULT'], 'w').write(sys.prefix + ' ' + os.getcwd())"
    )
    raw = ProcessRunner().run(job(command="uv run main.py", working_dir="/app/apps/sentiment"), log)
    assert raw.decode() == f"{sys.prefix} {folder}"
    made = {path.name for path in app_dir.rglob("*")} - {"__pycache__"}
    assert made == {"pyproject.toml", "apps", "sentiment", "main.py"}  # no .venv, no uv.lock
    assert os.environ["UV_INDEX_URL"]  # was there, and was not handed on
