"""The docker runner on a real engine, directly and through the proxy: one container for each fact."""

import json
import logging
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from docker.errors import NotFound
from stage_jobs import IMAGE, SOCKET, need_image, use, writes

from rankalpha.runners import StageFailed, StageInvalid
from rankalpha.runners.docker import DockerRunner
from rankalpha.stage import RESULT_PATH
from tests.support.docker_proxy import RunningProxy

pytestmark = pytest.mark.usefixtures("nothing_left", "way")
EAT = "x = []\nwhile True: x.append(bytearray(10**6))"
CHILD = f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {EAT!r}]).returncode)"
# first the file of cgroup v2, then that of v1
CGROUP = """
import json, os
from pathlib import Path
def read(*names):
    files = (Path("/sys/fs/cgroup", name) for name in names)
    return next(file.read_text().split() for file in files if file.exists())
quota = read("cpu.max", "cpu/cpu.cfs_quota_us")
found = {
    "memory": read("memory.max", "memory/memory.limit_in_bytes"),
    "swap": read("memory.swap.max", "memory/memory.memsw.limit_in_bytes"),
    "cpus": int(quota[0]) / int((quota[1:] or read("cpu/cpu.cfs_period_us"))[0]),
    "pids": read("pids.max", "pids/pids.max"),
}
Path(os.environ["RANKALPHA_RESULT"]).write_text(json.dumps(found))
"""


class Log(logging.LoggerAdapter):
    """A task's log that remembers its lines with their times, and may do something at one of them."""

    def __init__(self, at=None, do=None):
        super().__init__(logging.getLogger("stage"))
        self.lines, self.times, self.warnings = [], [], []
        self._at, self._do = at, do

    def info(self, form, *values):
        if form == "%s":  # else it is the runner's own
            self.lines.append(values[0])
            self.times.append(time.monotonic())
            if values[0] == self._at:
                self._do()

    def warning(self, form, *values):
        self.warnings.append(form % values)


def run(job, log=None):
    return DockerRunner().run(job, log or Log())


def name(engine, jobs):
    """The name of the container that runs."""
    (found,) = engine.containers(filters={"label": f"rankalpha.session={jobs.session}"})
    return found["Names"][0].strip("/")


def test_the_result_comes_back_and_the_limits_are_real(jobs):
    found = json.loads(run(jobs.python(CGROUP)))
    assert found["memory"] == [str(64 * 1024**2)]
    assert found["swap"] in (["0"], [str(64 * 1024**2)])  # v1 counts memory and swap together
    assert (found["cpus"], found["pids"]) == (1.5, ["50"])


def test_the_environment_is_the_stages_alone(jobs, engine, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    found = json.loads(run(jobs.python(writes("dict(os.environ)"), env={"DEPTH": "3"})))
    image = {entry.partition("=")[0] for entry in engine.inspect_image(IMAGE)["Config"]["Env"]}
    own = {key: found[key] for key in found.keys() - image - {"HOME", "HOSTNAME", "LC_CTYPE"}}
    assert own == {"DEPTH": "3", "RANKALPHA_DATA_DIR": "/data", "RANKALPHA_RESULT": RESULT_PATH}


def test_volume_and_working_folder_are_there(jobs, demo):
    job = jobs.python(writes("[os.getcwd(), os.path.ismount('/data/prices')]"))
    assert json.loads(run(job)) == ["/app", True]
    made = replace(demo, working_dir="/made/on/demand")
    assert json.loads(run(jobs.python(writes("os.getcwd()"), stage=made))) == "/made/on/demand"


def test_an_image_that_knows_nothing_of_us(jobs, engine):
    """It has a volume of its own, which goes with its container; the stage's stays."""
    need_image(engine, "postgres:17")
    log = Log("volumes", lambda: made.extend(engine.inspect_container(name(engine, jobs))["Mounts"]))
    made = []
    assert run(jobs.run("sh -c 'psql --version; echo volumes; sleep 1'", image="postgres:17"), log) == b""
    assert log.lines[0].startswith("psql (PostgreSQL) 17")
    volumes = {volume["Name"] for volume in made}
    assert len(volumes) == 2
    left = {volume["Name"] for volume in engine.volumes()["Volumes"]}
    assert left & volumes == {jobs.session}


def test_a_container_tells_what_it_is_of(jobs, engine):
    names, labels = [], []

    def look():
        names.append(name(engine, jobs))
        labels.append(engine.inspect_container(names[0])["Config"]["Labels"])

    run(jobs.run("sh -c 'echo up; sleep 1'"), Log("up", look))
    stem, _, random = names[0].rpartition("-")
    assert (stem, len(random)) == ("rankalpha-demo-2026-11-22T06-00-00", 8)
    assert labels[0]["rankalpha.dag"] == "rankalpha_demo"


def test_lines_arrive_while_it_runs(jobs):
    log = Log()
    run(jobs.run("sh -c 'echo one; sleep 1; echo two >&2; sleep 1; echo three'"), log)
    assert log.lines == ["one", "two", "three"]
    assert [round(later - log.times[0]) for later in log.times] == [0, 1, 2]


def test_the_first_line_is_never_lost(jobs):
    for number in range(15):  # twice, with both ways
        log = Log()
        run(jobs.run(f"echo {number}"), log)
        assert log.lines == [str(number)]


def test_a_failed_stage_is_quoted(jobs):
    with pytest.raises(StageFailed, match=r"exited with 3\. Last lines:\n  it broke") as caught:
        run(jobs.run("sh -c 'echo it broke; exit 3'"))
    assert not isinstance(caught.value, StageInvalid)


def test_a_stage_without_memory_is_told_which_setting_to_raise(jobs):
    with pytest.raises(StageFailed, match=r"exited with 137\. .* want of memory: raise DEMO_MEM, now 64m"):
        run(jobs.python(EAT))


def test_a_stage_that_outlives_a_child_without_memory(jobs):
    log = Log()
    run(jobs.python(CHILD), log)
    assert log.lines == ["-9"]
    assert "raise DEMO_MEM, now 64m" in log.warnings[0]


def test_a_stage_that_is_killed_otherwise_does_not_blame_memory(jobs):
    with pytest.raises(StageFailed, match=r"exited with 137\. It was killed, and not for its memory limit"):
        run(jobs.python("import os; os.kill(os.getpid(), 9)"))


def test_a_large_result_is_not_read(jobs):
    code = f"open({RESULT_PATH!r}, 'w').truncate(100_000_000)"
    begin = time.monotonic()
    with pytest.raises(StageInvalid, match=r"its result .* has 100000000 bytes, of 1048576 at most"):
        run(jobs.python(code))
    assert time.monotonic() - begin < 5  # and its container could be removed


def test_the_largest_result(jobs):
    assert run(jobs.python(f"open({RESULT_PATH!r}, 'w').write('x' * 1024**2)")) == b"x" * 1024**2


@pytest.mark.parametrize("command", ["ln -s /etc/passwd", "mkdir", "mkfifo"])
def test_a_result_that_is_no_plain_file(jobs, command):
    with pytest.raises(StageInvalid, match=r"its result .* is not a plain file"):
        run(jobs.run(f"{command} {RESULT_PATH}"))


def test_all_that_is_missing_is_named_and_nothing_is_made(jobs, engine, lacking):
    with pytest.raises(StageInvalid) as caught:
        run(jobs.run("true", stage=lacking, image="rankalpha_absent:1"))
    net, data = lacking.network, lacking.volumes[0].name
    assert str(caught.value).splitlines() == [
        "stage demo cannot start, the Docker engine lacks:",
        "  image 'rankalpha_absent:1': build or pull it on this engine, or set DEMO_IMAGE",
        f"  network '{net}': `docker compose up` makes it, or `docker network create {net}`",
        f"  volume '{data}': `docker compose up` makes it, or `docker volume create {data}`",
    ]
    with pytest.raises(NotFound):
        engine.inspect_volume(data)


@pytest.mark.parametrize("command", ["no-such-program", "/etc/passwd", "sh -c no-such-program"])
def test_a_command_that_cannot_be_run(jobs, command):
    with pytest.raises(StageInvalid, match="mend DEMO_COMMAND"):
        run(jobs.run(command))


def test_a_working_folder_that_cannot_be(jobs, demo):
    with pytest.raises(
        StageInvalid, match=r"DEMO_COMMAND='true' cannot be run in /etc/passwd: .*not a directory"
    ):
        run(jobs.run("true", stage=replace(demo, working_dir="/etc/passwd")))


@pytest.mark.parametrize("trap", ["", "trap 'echo bye; exit 0' TERM;", "trap '' TERM;"])
def test_a_killed_task_stops_its_container(jobs, trap):
    """Airflow calls on_kill in a signal handler, in the midst of reading the output."""
    runner, took = DockerRunner(), []

    def on_kill(*_):
        begin = time.monotonic()
        runner.stop()
        took.append(time.monotonic() - begin)

    previous = signal.signal(signal.SIGUSR1, on_kill)
    log = Log("up", lambda: threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start())
    try:
        with pytest.raises(StageFailed, match=r"was stopped|exited with"):
            runner.run(jobs.run(f'sh -c "{trap} echo up; while :; do sleep 0.1; done"'), log)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert took[0] < 4.5  # Airflow kills the task itself after 5


def test_a_stop_from_another_thread(jobs):
    runner = DockerRunner()
    stopping = threading.Timer(0.2, runner.stop)
    with pytest.raises(StageFailed, match=r"was stopped|exited with"):
        runner.run(jobs.run("sh -c 'echo up; sleep 60'"), Log("up", stopping.start))
    stopping.join()


def test_what_the_proxy_refuses_does_not_heal(jobs, demo, way):
    if way == "proxy":
        with pytest.raises(
            StageInvalid, match="Docker refused stage demo: RankAlpha's Docker proxy refuses network"
        ):
            run(jobs.run("true", stage=replace(demo, network="bridge")))


def test_a_proxy_that_goes_away_may_come_back(jobs, demo, engine, session, way, tmp_path, monkeypatch):
    if way != "proxy":
        return
    proxy = RunningProxy(SOCKET, tmp_path / "log", [demo])
    use(monkeypatch, proxy.url)
    log = Log("up", lambda: threading.Timer(0.2, proxy.stop).start())
    with pytest.raises(
        StageFailed, match=f"lost the Docker engine at RANKALPHA_DOCKER_URL={proxy.url}"
    ) as caught:
        run(jobs.run("sh -c 'echo up; sleep 60'"), log)
    assert not isinstance(caught.value, StageInvalid)
    (left,) = engine.containers(filters={"label": f"rankalpha.session={session}"})
    engine.remove_container(left["Id"], force=True)


def test_an_engine_that_is_not_there(jobs, demo, tmp_path, monkeypatch):
    proxy = RunningProxy(tmp_path / "none.sock", tmp_path / "log", [demo])
    for url in (proxy.url, "unix:///nowhere/docker.sock"):
        use(monkeypatch, url)
        with pytest.raises(StageFailed, match=f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}"):
            run(jobs.run("true"))
    proxy.stop()
    assert str(tmp_path / "none.sock") in Path(tmp_path / "log").read_text()
