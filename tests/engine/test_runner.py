"""What the docker runner is asked about containers, on a real engine, through the proxy or also directly."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.runners.base import GRACE_SECONDS
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import ContainerGone, EngineLost, NameTaken, StageInvalid
from rankalpha.runners.file_system import RESULT_PATH
from tests.engine.stage_jobs import BOTH_WAYS, ended, output, use, writes
from tests.support.docker_proxy import RunningProxy
from tests.support.needs import IMAGE, need_image
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("swept", "way")


@BOTH_WAYS
def test_a_container_is_created_then_started_then_over(jobs):
    runner, job, name = DockerRunner(), jobs.run("sh -c 'sleep 1; exit 3'"), jobs.identity().name
    before = datetime.now(UTC) - timedelta(seconds=1)  # `created` is in whole seconds
    made = runner.create(job, name)
    assert (made.name, made.running, made.started, made.status) == (name, False, None, None)
    assert made.labels == job.labels
    assert before <= made.created <= datetime.now(UTC)
    runner.start(made, job)
    runs = runner.inspect(made.id)
    assert (runs.running, runs.status, runs.ended) == (True, None, None)
    assert made.created <= runs.started <= datetime.now(UTC)
    runner.start(made, job)  # does nothing
    assert runner.inspect(made.id) == runs
    over = ended(made)
    assert (over.id, over.running, over.started, over.status) == (made.id, False, runs.started, 3)
    assert runs.started <= over.ended <= datetime.now(UTC)
    assert runner.find(name) == over


@BOTH_WAYS
def test_a_name_is_taken_once(jobs):
    runner, job, name = DockerRunner(), jobs.run("true"), jobs.identity().name
    assert runner.find(name) is None
    made = runner.create(job, name)
    with pytest.raises(NameTaken, match=f"container {name} exists already"):
        runner.create(job, name)
    assert runner.find(name) == made


@BOTH_WAYS
def test_another_name_frees_the_first_and_changes_nothing_else(jobs):
    runner, job, name = DockerRunner(), jobs.run("sleep 60"), jobs.identity().name
    made = jobs.start(job)
    runner.set_aside(made.id, 1)
    assert runner.find(name) is None
    assert (
        runner.find(f"{name}-try1")
        == runner.inspect(made.id)
        == replace(made, name=f"{name}-try1", set_aside=True)
    )
    assert runner.create(job, name).id != made.id


@BOTH_WAYS
def test_a_container_that_has_gone_is_missed_by_all_that_need_it(jobs):
    runner, job = DockerRunner(), jobs.run("true")
    one = jobs.start(job)
    runner.remove(one.id)
    for ask in (
        runner.inspect,
        lambda _gone: runner.start(one, job),
        output,
        runner.tail,
        runner.environment,
        lambda gone: runner.result(gone, "demo"),
        runner.stop,
        lambda gone: runner.set_aside(gone, 1),
        runner.remove,
    ):
        with pytest.raises(ContainerGone, match="the container no longer exists"):
            ask(one.id)
    assert runner.find(one.name) is None
    assert runner.containers(jobs.identity().of_task) == []


@BOTH_WAYS
def test_containers_are_found_by_all_of_their_labels(jobs):
    """A stack without a name has an empty label, which counts like the others."""
    runner, mine = DockerRunner(), jobs.identity()
    runs = jobs.start(jobs.run("sleep 60"))
    over = jobs.ended(jobs.run("true", identity=jobs.identity(group=4)), group=4)
    jobs.start(jobs.run("sleep 60", identity=jobs.identity(task="x")), task="x")
    assert mine.of_task["rankalpha.stack"] == ""
    assert {found.id for found in runner.containers(mine.of_task)} == {runs.id, over.id}
    assert [found.id for found in runner.containers({**mine.of_task, "rankalpha.group": "4"})] == [over.id]
    assert runner.containers({**mine.of_task, "rankalpha.stack": "another"}) == []


TRAPS = {  # what a stage does when it is asked to stop, and with which status it ends
    "trap 'exit 5' TERM;": 5,
    "": 143,
    "trap '' TERM;": 137,
}


@BOTH_WAYS
@pytest.mark.parametrize("trap", TRAPS)
def test_a_stage_is_asked_to_stop_and_killed_when_it_does_not(jobs, engine, trap):
    one = jobs.start(jobs.run(f'sh -c "{trap} echo up; while :; do sleep 0.1; done"'))
    wait_for("its first line", lambda: DockerRunner().tail(one.id))
    begin = time.time()
    DockerRunner().stop(one.id)
    assert DockerRunner().inspect(one.id).status == TRAPS[trap]
    DockerRunner().stop(one.id)  # a second time it does nothing
    kills = {"container": one.id, "event": "kill"}
    sent = list(engine.events(since=int(begin), until=int(time.time()) + 1, filters=kills, decode=True))
    signals = [event["Actor"]["Attributes"]["signal"] for event in sent]
    assert signals == (["15", "9"] if TRAPS[trap] == 137 else ["15"])
    assert sent[-1]["timeNano"] - sent[0]["timeNano"] >= (len(sent) - 1) * GRACE_SECONDS * 1e9


def test_an_image_that_knows_nothing_of_us(jobs, engine):
    """It has a volume of its own, which goes with its container and its result's; the stage's stays."""
    need_image(engine, "postgres:17")
    one = jobs.start(jobs.run("sh -c 'psql --version; sleep 60'", image="postgres:17"))
    wait_for("its first line", lambda: DockerRunner().tail(one.id))
    assert DockerRunner().tail(one.id)[0].startswith("psql (PostgreSQL) 17")
    volumes = {volume["Name"] for volume in engine.inspect_container(one.id)["Mounts"]}
    assert len(volumes) == 3
    DockerRunner().remove(one.id)
    left = {volume["Name"] for volume in engine.volumes()["Volumes"]}
    assert left & volumes == {jobs.session}


@BOTH_WAYS
def test_the_environment_is_the_stages_alone(jobs, engine, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    one = jobs.ended(jobs.python(writes("dict(os.environ)"), env={"DEPTH": "3", "EQUAL": "a=b"}))
    seen = json.loads(DockerRunner().result(one.id, "demo"))
    image = {entry.partition("=")[0] for entry in engine.inspect_image(IMAGE)["Config"]["Env"]}
    own = {key: seen[key] for key in seen.keys() - image - {"HOME", "HOSTNAME", "LC_CTYPE"}}
    stages = {"DEPTH": "3", "EQUAL": "a=b", "RANKALPHA_DATA_DIR": "/data", "RANKALPHA_RESULT": RESULT_PATH}
    assert own == stages
    env = DockerRunner().environment(one.id)
    assert {key: env[key] for key in env.keys() - image} == stages


@BOTH_WAYS
def test_the_last_lines(jobs):
    code = "import os, time\nfor n in range(30): print(n)\ntime.sleep(0.5)\nos.write(2, b'an \\xff error\\n')"
    one = jobs.ended(jobs.python(code))
    assert DockerRunner().tail(one.id) == [*map(str, range(11, 30)), "an \ufffd error"]
    silent = jobs.ended(jobs.run("true", identity=jobs.identity(task="x")), task="x")
    assert DockerRunner().tail(silent.id) == []


def test_what_the_proxy_refuses_does_not_heal(jobs, demo):
    refused = "Docker refused stage demo: RankAlpha's Docker proxy refuses network"
    with pytest.raises(StageInvalid, match=refused):
        jobs.start(jobs.run("true", stage=replace(demo, docker=replace(demo.docker, network="bridge"))))


def test_an_engine_that_is_not_there(jobs, demo, tmp_path, monkeypatch):
    proxy = RunningProxy(tmp_path / "none.sock", tmp_path / "log", [demo])
    for url in (proxy.url, "unix:///nowhere/docker.sock"):
        use(monkeypatch, url)
        with pytest.raises(EngineLost, match=f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}"):
            jobs.start(jobs.run("true"))
        with pytest.raises(EngineLost, match=f"lost the Docker engine at RANKALPHA_DOCKER_URL={url} while"):
            output("none")
    proxy.stop()
    assert str(tmp_path / "none.sock") in (tmp_path / "log").read_text()
