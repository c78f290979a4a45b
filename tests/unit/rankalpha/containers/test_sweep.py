"""What the sweep does with each kind of container that may be left, on real processes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rankalpha.containers.durable import find_or_start
from rankalpha.containers.sweep import log, sweep_containers
from rankalpha.containers.task_state import ACTIVE
from rankalpha.runners.container import Container
from rankalpha.runners.failures import EngineLost, StageFailed
from rankalpha.runners.identity import UNTIL, Identity
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from tests.unit.rankalpha.support.demo_stage import identity, job
from tests.unit.rankalpha.support.process_helpers import UNTIL_GO, ended

ENDED = ("failed", "upstream_failed", "skipped", "removed", None)


class Airflow:
    """The states that Airflow knows: of one task instance, and of its run."""

    def __init__(self) -> None:
        self.task: str | None = None
        self.key = "run_demo"
        self.run: str | None = None  # None: there is no such run
        self.asked: Callable[[], None] = lambda: None

    def get_task_states(self, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict:
        assert (dag_id, task_ids, run_ids) == ("rankalpha_demo", ["run_demo"], ["manual__1"])
        self.asked()
        return {"manual__1": {self.key: self.task}} if self.task else {}

    def get_dr_count(self, dag_id: str, run_ids: list[str], states: list[str]) -> int:
        assert (dag_id, run_ids) == ("rankalpha_demo", ["manual__1"])
        return int(self.run in states)


@pytest.fixture
def airflow() -> Airflow:
    """The `ti` of the sweep's own task, which asks Airflow for the states of others."""
    return Airflow()


@pytest.fixture(autouse=True)
def folder(app_dir: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level("INFO")
    return app_dir


def start(folder: Path, code: str, who: Identity | None = None, **labels: str) -> Container:
    (folder / "main.py").write_text(code)
    who = who or identity()
    return find_or_start(ProcessRunner(), job(labels={**who.labels, **labels}), who, log)


def backdate(container: Container, **age: float) -> None:
    """Let everything about a container have happened that long ago."""
    path = ProcessRunner()._folders.of(container.id)
    moment = (datetime.now(UTC) - timedelta(**age)).isoformat()
    for name, key in (("container", "created"), ("started", "time"), ("exit", "time")):
        file = path / f"{name}.json"
        if file.exists():
            file.write_text(json.dumps({**json.loads(file.read_text()), key: moment}))


def there() -> list[Container]:
    return list(ProcessRunner().containers({}))


def summary(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.messages[-1]


@pytest.mark.parametrize("state", sorted(ACTIVE))
@pytest.mark.parametrize("code", ["", UNTIL_GO])
def test_the_container_of_an_active_task_is_left_alone(folder, airflow, caplog, state, code):
    container = start(folder, code)
    if not code:
        ended(container)
    backdate(container, days=100)
    airflow.task = state
    sweep_containers(airflow)
    (left,) = there()
    assert (left.name, left.running) == (container.name, bool(code))
    assert summary(caplog) == "Containers: 1 checked, 0 stopped, 0 removed, 1 kept"


@pytest.mark.parametrize("run", ["queued", "running"])
def test_a_task_without_a_state_is_active_as_long_as_its_run_is(folder, airflow, run):
    """As right after a person has cleared it."""
    container = ended(start(folder, ""))
    backdate(container, days=100)
    airflow.run = run
    sweep_containers(airflow)
    assert there()
    airflow.run = "failed"
    sweep_containers(airflow)
    assert not there()


@pytest.mark.parametrize("state", ["success", *ENDED])
def test_a_stage_that_runs_for_no_task_is_stopped_and_set_aside(folder, airflow, caplog, state):
    container = start(folder, UNTIL_GO, identity(try_number=2))
    airflow.task = state
    sweep_containers(airflow)
    (left,) = there()
    assert (left.name, left.running) == (f"{container.name}-try2", False)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(
        f"Stopping orphan {container.name}: it runs, but its task run_demo of run manual__1"
    )
    assert warning.endswith(f" is {state or 'gone'}")
    assert summary(caplog) == "Containers: 1 checked, 1 stopped, 0 removed, 0 kept"


@pytest.mark.parametrize(("minutes", "running"), [(1, True), (-1, False)])
def test_one_of_a_plan_may_run_until_its_time(folder, airflow, minutes, running):
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    start(folder, UNTIL_GO, **{UNTIL: until.isoformat()})
    sweep_containers(airflow)
    (left,) = there()
    assert (left.running, left.set_aside) == (running, not running)


def test_a_stage_that_ends_while_its_task_is_asked_for_is_no_orphan(folder, airflow, caplog):
    """What was listed as running belongs to a task that has just failed, and is to be inspected."""
    container = start(folder, UNTIL_GO)
    airflow.task = "failed"

    def end() -> None:
        (folder / "go").touch()
        ended(container)

    airflow.asked = end
    sweep_containers(airflow)
    assert [left.name for left in there()] == [container.name]
    assert "orphan" not in caplog.text


def test_what_a_succeeded_task_has_left_is_removed_at_once(folder, airflow, caplog):
    ended(start(folder, ""))
    airflow.task = "success"
    sweep_containers(airflow)
    assert not there()
    assert summary(caplog) == "Containers: 1 checked, 0 stopped, 1 removed, 0 kept"


@pytest.mark.parametrize("state", ENDED)
def test_other_ended_ones_are_kept_for_inspection(folder, airflow, monkeypatch, state):
    monkeypatch.setenv("RANKALPHA_KEEP_FAILED_HOURS", "2")
    container = ended(start(folder, "raise SystemExit(1)"))
    airflow.task = state
    backdate(container, hours=1.9)
    sweep_containers(airflow)
    assert there()
    backdate(container, hours=2.1)
    sweep_containers(airflow)
    assert not there()


def test_what_was_set_aside_is_kept_for_inspection_whatever_its_task_does(folder, airflow):
    container = ended(start(folder, "raise SystemExit(1)"))
    ProcessRunner().set_aside(container.id, 1)
    airflow.task = "running"  # its retry
    backdate(container, hours=23.9)
    sweep_containers(airflow)
    assert there()
    backdate(container, hours=24.1)
    sweep_containers(airflow)
    assert not there()


def test_what_was_set_aside_and_could_not_be_stopped_is_stopped(folder, airflow, caplog):
    container = start(folder, UNTIL_GO)
    ProcessRunner().set_aside(container.id, 1)
    sweep_containers(airflow)
    (left,) = there()
    assert (left.name, left.running) == (f"{container.name}-try1", False)
    assert f"Stopping container {container.name}-try1, which was set aside" in caplog.text


def test_one_whose_end_nobody_knows_is_kept_since_its_start(folder, airflow):
    """The process runner tells at each look that such a one has ended just now."""
    container = ended(start(folder, ""))
    (ProcessRunner()._folders.of(container.id) / "exit.json").unlink()
    assert ProcessRunner().inspect(container.id).status is None
    sweep_containers(airflow)
    assert there()
    backdate(container, hours=25)
    sweep_containers(airflow)
    assert not there()


@pytest.mark.parametrize(("minutes", "kept"), [(59, True), (61, False)])
def test_one_that_was_never_started_is_removed_after_an_hour(folder, airflow, minutes, kept):
    who = identity()
    container = ProcessRunner().create(job(labels=who.labels), who.name)
    backdate(container, minutes=minutes)
    airflow.task = "success"
    sweep_containers(airflow)
    assert bool(there()) is kept


def test_each_task_of_a_mapped_one_counts_for_itself(folder, airflow):
    ended(start(folder, "", identity(map_index=7)))
    airflow.task, airflow.key = "deferred", "run_demo_7"
    sweep_containers(airflow)
    assert there()
    airflow.key = "run_demo_8"
    airflow.task = "success"
    airflow.run = "running"
    sweep_containers(airflow)
    assert there()  # of the seventh nothing is known but that its run goes on
    airflow.key = "run_demo_7"
    sweep_containers(airflow)
    assert not there()


def test_other_stacks_are_not_looked_at(folder, airflow, caplog, monkeypatch):
    ended(start(folder, ""))
    airflow.task = "success"
    monkeypatch.setenv("RANKALPHA_STACK", "/somewhere/else")
    settings.cache_clear()
    sweep_containers(airflow)
    assert there()
    assert summary(caplog) == "Containers: 0 checked, 0 stopped, 0 removed, 0 kept"


def test_one_that_vanishes_meanwhile_is_no_error(folder, airflow, caplog):
    container = ended(start(folder, ""))
    airflow.task = "success"
    airflow.asked = lambda: ProcessRunner().remove(container.id)
    sweep_containers(airflow)
    assert summary(caplog) == "Containers: 1 checked, 0 stopped, 0 removed, 0 kept"


def test_one_that_cannot_be_swept_keeps_none_of_the_others(folder, airflow, caplog, monkeypatch):
    names = [ended(start(folder, "", identity(group=group))).name for group in (3, 5, 7)]
    airflow.task = "success"
    remove = ProcessRunner.remove

    def refuse(self: ProcessRunner, container_id: str) -> None:
        if self.inspect(container_id).name == names[1]:
            raise StageFailed("Docker refused removing a container: device or resource busy")
        remove(self, container_id)

    monkeypatch.setattr(ProcessRunner, "remove", refuse)
    with pytest.raises(StageFailed, match=f"could not be swept, see above: {names[1]}$"):
        sweep_containers(airflow)
    assert [left.name for left in there()] == [names[1]]
    assert "device or resource busy" in caplog.text
    monkeypatch.undo()


@pytest.mark.parametrize("method", ["containers", "inspect"])
def test_an_engine_that_does_not_answer_fails_the_task(folder, airflow, monkeypatch, method):
    ended(start(folder, ""))

    def lost(*_: object) -> None:
        raise EngineLost("no Docker engine answers")

    monkeypatch.setattr(ProcessRunner, method, lost)
    with pytest.raises(EngineLost):
        sweep_containers(airflow)
    monkeypatch.undo()
