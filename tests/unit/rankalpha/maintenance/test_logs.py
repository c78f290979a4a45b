"""Which files the pruning of logs removes, and that nothing else is touched."""

import os
import time
from pathlib import Path

import pytest
from airflow.sdk import conf

from rankalpha.maintenance import prune_logs
from rankalpha.maintenance.logs import DAY, prune_folder


@pytest.fixture
def logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level("INFO")
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def old(path: Path, days: float = 31) -> Path:
    """Let a path be that old, and be a file if it is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not (path.exists() or path.is_symlink()):
        path.write_text("log")
    moment = time.time() - days * DAY
    os.utime(path, (moment, moment), follow_symlinks=False)
    return path


def prune(folder: Path, days: float = 30) -> dict:
    return dict(prune_folder(folder, time.time() - days * DAY))


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_old_files_go_and_the_folders_that_they_leave_empty(logs):
    old(logs / "dag_id=a" / "run_id=1" / "task_id=x" / "attempt=1.log")
    old(logs / "dag_id=a" / "run_id=1" / "task_id=x" / "attempt=2.log", days=29)
    old(logs / "dag_id=a" / "run_id=2" / "task_id=x" / "attempt=1.log")
    old(logs / "dag_id=b" / "run_id=1" / "task_id=x" / "attempt=1.log")
    assert prune(logs) == {"file": 3, "folder": 5}
    run = "dag_id=a/run_id=1"
    assert left(logs) == {"dag_id=a", run, f"{run}/task_id=x", f"{run}/task_id=x/attempt=2.log"}
    assert prune(logs) == {}


def test_the_folder_itself_stays(logs):
    old(logs / "a.log")
    old(logs)
    assert prune(logs) == {"file": 1}
    assert logs.is_dir()


def test_an_empty_folder_goes_when_it_is_old_and_stays_while_somebody_may_be_about_to_write(logs):
    (logs / "new").mkdir()
    (logs / "old").mkdir()
    old(logs / "old")
    assert prune(logs) == {"folder": 1}
    assert left(logs) == {"new"}


def test_an_old_folder_with_young_files_stays(logs):
    old(logs / "day" / "young.log", days=1)
    old(logs / "day")
    assert prune(logs) == {}
    assert left(logs) == {"day", "day/young.log"}


def test_links_are_not_followed(logs, tmp_path):
    outside = old(tmp_path / "elsewhere" / "precious")
    old(tmp_path / "elsewhere")
    young, stale = logs / "latest", logs / "stale"
    for link in (young, stale, logs / "file"):
        link.symlink_to(outside if link.name == "file" else outside.parent)
    old(stale)
    old(logs / "file")
    assert prune(logs) == {"file": 2}  # the links themselves
    assert left(logs) == {"latest"}
    assert outside.exists()


def test_a_log_folder_that_is_a_link_is_pruned_where_it_leads(logs, tmp_path):
    """As when an operator has moved the logs to another disk."""
    old(logs / "a.log")
    link = tmp_path / "link"
    link.symlink_to(logs)
    assert prune(link) == {"file": 1}


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        prune(tmp_path / "absent")


def test_what_cannot_be_removed_is_named_and_the_rest_goes(logs, caplog, monkeypatch):
    old(logs / "a.log")
    old(logs / "b.log")
    unlink = os.unlink

    def refuse(name: str, **options: int) -> None:
        if name == "a.log":
            raise PermissionError(13, "Permission denied", name)
        unlink(name, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        assert prune(logs) == {"file": 1}
    assert "cannot prune: [Errno 13] Permission denied: 'a.log'" in caplog.text
    assert left(logs) == {"a.log"}


@pytest.mark.parametrize(("days", "stays"), [(None, False), ("40", True), ("0", True)])
def test_the_setting_decides_and_airflow_says_where(logs, monkeypatch, caplog, days, stays):
    path = old(logs / "a.log")
    monkeypatch.setattr(conf, "get_mandatory_value", lambda *_: str(logs))
    if days:
        monkeypatch.setenv("RANKALPHA_KEEP_LOG_DAYS", days)
    prune_logs()
    assert path.exists() is stays
    says = {None: "30 days: 1 file, 0 folders", "40": "0 files, 0 folders", "0": "all logs are kept"}
    assert caplog.messages[-1].endswith(says[days])
