import fcntl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rankalpha.containers.durable import check_exit
from rankalpha.runners import process_start, runner
from rankalpha.runners.failures import ContainerGone, NameTaken, StageInvalid
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import SettingsError
from tests.unit.rankalpha.support.demo_stage import job, stage
from tests.unit.rankalpha.support.process_helpers import NAME, UNTIL_GO, ended, output, printed, run, start


@pytest.fixture(autouse=True)
def folder(app_dir) -> Path:
    return app_dir


def processes(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "processes").iterdir()]


def test_the_setting_chooses_the_runner():
    assert isinstance(runner(), ProcessRunner)


def test_an_unknown_runner_is_named(monkeypatch):
    monkeypatch.setenv("RANKALPHA_RUNNER", "podman")
    with pytest.raises(
        SettingsError, match="RANKALPHA_RUNNER='podman' is unknown; use one of docker, process"
    ):
        runner()


def test_what_is_created_does_not_run_yet(folder):
    begun = datetime.now(UTC)
    container = ProcessRunner().create(job(), NAME)
    assert (container.name, container.labels) == (NAME, job().labels)
    assert begun <= container.created <= datetime.now(UTC)
    assert (container.running, container.started, container.ended, container.status) == (False,) + (None,) * 3
    assert ProcessRunner().inspect(container.id) == ProcessRunner().find(NAME) == container


def test_a_process_from_its_start_to_its_end(folder):
    begun = datetime.now(UTC).replace(microsecond=0)
    container = ProcessRunner().inspect(start(folder, UNTIL_GO + "raise SystemExit(3)").id)
    assert (container.running, container.ended, container.status) == (True, None, None)
    (folder / "go").touch()
    container = ended(container)
    assert (container.running, container.status, container.out_of_memory) == (False, 3, False)
    assert begun <= container.started <= container.ended <= datetime.now(UTC)


def test_starting_it_again_does_nothing(folder, monkeypatch):
    container = start(folder, "print(1)" + UNTIL_GO)
    monkeypatch.setattr(process_start, "subprocess", None)  # no second one can be started
    ProcessRunner().start(container, job())
    (folder / "go").touch()
    ended(container)
    ProcessRunner().start(container, job())
    assert [line.text for line in output(container)] == ["1"]


def test_who_only_looks_does_not_prevent_the_start(folder, tmp_path):
    container = ProcessRunner().create(job(), NAME)
    with (tmp_path / "processes" / NAME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as look() does
        threading.Timer(0.3, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        ProcessRunner().start(container, job())
    assert ProcessRunner().inspect(container.id).started


def test_a_name_is_taken_once(tmp_path):
    first = ProcessRunner().create(job(), NAME)
    with pytest.raises(NameTaken, match=f"process {NAME} exists already"):
        ProcessRunner().create(job(), NAME)
    assert ProcessRunner().find(NAME) == first
    assert processes(tmp_path) == [NAME]


def test_any_other_trouble_is_not_a_taken_name(tmp_path):
    with pytest.raises(OSError, match="No such file or directory"):
        ProcessRunner().create(job(), f"rankalpha-absent/{NAME}")
    assert processes(tmp_path) == []


def test_what_is_not_there(folder):
    assert ProcessRunner().find(NAME) is None
    for ask in (ProcessRunner().inspect, ProcessRunner().remove, ProcessRunner().stop, ProcessRunner().tail):
        with pytest.raises(ContainerGone, match=f"process {NAME} no longer exists"):
            ask(NAME)


def test_folders_that_are_half_made_do_not_count(tmp_path):
    (tmp_path / "processes/.0123456789abcdef").mkdir(parents=True)
    (tmp_path / "processes" / NAME).mkdir()  # emptied by somebody who was killed while he removed it
    assert ProcessRunner().containers({}) == []
    assert ProcessRunner().find(".0123456789abcdef") is None
    assert ProcessRunner().find(NAME) is None


def test_processes_are_found_by_all_of_their_labels(folder):
    container = ProcessRunner().create(job(), NAME)
    assert ProcessRunner().containers({}) == [container]
    assert ProcessRunner().containers({"rankalpha.dag": "rankalpha_demo"}) == [container]
    assert ProcessRunner().containers({"rankalpha.dag": "rankalpha_demo", "rankalpha.run": "x"}) == []


def test_a_renamed_process_goes_on_under_the_same_id(folder):
    container = start(folder, "print(1)" + UNTIL_GO + "print(2)")
    ProcessRunner().set_aside(container.id, 1)
    assert ProcessRunner().find(NAME) is None
    assert ProcessRunner().inspect(container.id).running
    (folder / "go").touch()
    renamed = ended(container)
    assert (renamed.id, renamed.name, renamed.status) == (container.id, f"{NAME}-try1", 0)
    assert [line.text for line in output(container)] == ["1", "2"]


def test_removing_ends_what_runs(folder, tmp_path):
    container = start(folder, UNTIL_GO)
    ProcessRunner().remove(container.id)
    assert ProcessRunner().find(NAME) is None
    assert processes(tmp_path) == []


@pytest.mark.parametrize(
    ("command", "shown"),
    [("no-such-program 1", "['no-such-program', '1']"), ("./main.py", "['./main.py']"), ("''", "['']")],
)
def test_a_command_that_cannot_be_started_is_named(folder, command, shown):
    container = run(folder, "", command=command)
    assert container.status == 127
    with pytest.raises(StageInvalid, match="correct DEMO_COMMAND") as caught:
        check_exit(stage(), container, printed(container))
    assert f"cannot start {shown} in {folder}: " in str(caught.value)


def test_a_missing_working_folder_is_named(folder):
    container = run(folder, "", working_dir="/app/apps/absent")
    assert container.status == 127
    assert f"in {folder}/apps/absent: " in printed(container)[0]
