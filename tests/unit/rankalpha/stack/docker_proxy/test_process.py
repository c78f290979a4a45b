"""The Docker proxy as a process: its start, its log, and what the declared stages allow."""

import json
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

import rankalpha.stages
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.training import Training
from rankalpha.stack.docker_proxy.allowed import Allowed, Refused
from rankalpha.stages.stage import Stage
from tests.support.docker_proxy import RunningProxy
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.demo_stage import stage
from tests.unit.rankalpha.support.fake_engine import OURS, FakeEngine
from tests.unit.rankalpha.support.proxy_requests import CONTAINER, NAME, POST, SECRET, create, with_


def test_an_engine_that_is_not_there_is_named(tmp_path):
    proxy = RunningProxy(tmp_path / "none.sock", tmp_path / "log", [stage()])
    status, _, body = proxy.ask("GET", "/_ping")
    assert status == 502
    assert f"no answer from the engine at {tmp_path / 'none.sock'}" in json.loads(body)["message"]
    proxy.stop()


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (b'{"LiveRestoreEnabled": false}', 'Set "live-restore": true in /etc/docker/daemon.json'),
        (b'{"LiveRestoreEnabled": true}', None),
        (b"{}", "it is not known whether the engine has live-restore: KeyError"),
        (b"no JSON", "it is not known whether the engine has live-restore: JSONDecodeError"),
    ],
)
def test_an_engine_without_live_restore_is_warned_of_at_the_start(tmp_path, info, said):
    engine = FakeEngine(tmp_path / "docker.sock")
    engine.info = info
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage()])
    if said:
        wait_for("the warning", lambda: said in proxy.log())
    assert proxy.ask("GET", "/_ping")[0] == 200
    assert proxy.ask("GET", "/info")[0] == 403, "still refused to everybody else"
    proxy.stop()
    assert proxy.log().count("live-restore") == (2 if said and said.startswith("Set") else int(bool(said)))
    engine.close()


def test_the_log_has_what_was_refused_or_done_and_no_secrets(engine, tmp_path):
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage()])
    create(proxy, CONTAINER, f"/containers/create?name={NAME}")
    create(proxy, with_("User", SECRET))
    proxy.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + SECRET.encode() + b"\r\n", wait=0.3)
    proxy.ask("GET", "/info%0aX")
    proxy.ask("POST", f"/containers/ours/rename?name={NAME}-try1")
    proxy.ask("POST", "/containers/ours/stop")
    proxy.ask("DELETE", "/containers/ours")
    proxy.ask("GET", "/_ping")
    proxy.stop()
    lines = [line.split("127.0.0.1: ")[-1] for line in proxy.log().splitlines()[2:]]
    no, container = "403 RankAlpha's Docker proxy refuses", f"/containers/{OURS}"
    assert lines == [
        f"POST /containers/create {NAME}",
        f"{no} this container: User: Extra inputs are not permitted",
        "ERROR:aiohttp.server:400 BadHttpMessage",
        f"{no} GET /info%0aX: not an operation a stage needs",
        f"POST {container}/rename {NAME}-try1",
        f"POST {container}/stop",
        f"DELETE {container}",
    ]
    assert SECRET not in proxy.log()


EVERY = rankalpha.stages.stages_of(Market(training=Training()))
VOLUMES = ("prices_data", "company_reports", "analysis_schedule", "grades", "evaluations", "models")


def test_all_declared_stages_are_allowed():
    """Each file of rankalpha/stages that declares a stage is the file of a step."""
    modules = [
        import_module(f"rankalpha.stages.{file.name}") for file in iter_modules(rankalpha.stages.__path__)
    ]
    declared = [value for module in modules for value in vars(module).values() if isinstance(value, Stage)]
    assert {stage.name for stage in declared} == {stage.name for stage in EVERY}
    allowed = Allowed.by(declared)
    assert allowed.networks == {"rankalpha_net"}
    assert allowed.volumes == set(VOLUMES)
    assert "company_reports:/data/company_reports" in allowed.mounts
    assert allowed.folders == {"/app", "/app/apps/sentiment"}
    assert allowed.capabilities == set(), "the reference images need none"
    assert allowed.writable == set(), "the reference images write to volumes and /tmp only"


def test_a_volume_that_no_stage_writes_to_is_mounted_read_only_alone():
    allowed = Allowed.by(EVERY)
    allowed.check_mount("grades:/data/grades", read_only=True)
    with pytest.raises(Refused, match=r"grades:/data/grades \(read-only\)"):
        allowed.check_mount("grades:/data/grades", read_only=False)
    for read_only in (True, False):  # ingestion writes there
        allowed.check_mount("prices_data:/data/prices", read_only=read_only)


def test_the_volumes_of_each_market_are_allowed_and_no_others():
    markets = (Market(training=Training()), Market(name="nyse"))
    allowed = Allowed.by(stage for market in markets for stage in rankalpha.stages.stages_of(market))
    assert allowed.volumes == {*VOLUMES, *(f"{name}_nyse" for name in VOLUMES if name != "models")}
    allowed.check("mount", "prices_data_nyse:/data/prices")
    for mount in ("prices_data_lse:/data/prices", "prices_data_nyse:/data", "grades_nyse:/data/grades"):
        with pytest.raises(Refused, match="the stages declare"):
            allowed.check("mount", mount)


def test_a_mistake_in_the_file_of_markets_is_told_in_a_line(tmp_path):
    (tmp_path / "markets.toml").write_text("[nyse]\nslots = 0\n")
    done = subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.docker_proxy"],
        env={"RANKALPHA_MARKETS": str(tmp_path / "markets.toml")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr[:6]) == (1, "error:")
    assert "[nyse] slots = 0: Input should be greater than 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_starts_without_airflow_and_with_its_settings(tmp_path):
    code = "import sys, rankalpha.stack.docker_proxy.server, rankalpha.stages; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {name.partition(".")[0] for name in modules.split()} & {"airflow", "docker", "sqlalchemy"}
    done = subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.docker_proxy"],
        env={"RANKALPHA_PROXY_PORT": "many"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr[:38]) == (1, "error: RANKALPHA_PROXY_PORT='many': In")
