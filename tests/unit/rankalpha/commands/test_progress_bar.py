import re

from rankalpha.commands.progress_bar import Progress
from tests.unit.rankalpha.support.fake_airflow import task


def lines(capsys) -> list[str]:
    return [re.sub(r"^ *[0-9.]+ s  ", "", line) for line in capsys.readouterr().out.splitlines()]


def test_each_change_is_printed_once(capsys):
    progress = Progress("2025-11-20T06:00:00")
    for state in ("queued", "running", "running", "success", "success"):
        progress.show("rankalpha_demo", [task("run_demo", state, duration=2.04)])
    assert lines(capsys) == [
        "Following batch 2025-11-20T06:00:00",
        "rankalpha_demo       run_demo           running",
        "rankalpha_demo       run_demo           success in 2.0 s",
    ]


def test_what_only_waits_is_not_printed(capsys):
    progress = Progress("b")
    progress.show("d", [task("t", state) for state in (None, "scheduled", "queued", "removed")])
    assert lines(capsys) == ["Following batch b"]


def test_a_retry_is_printed_as_one(capsys):
    progress = Progress("b")
    for state, attempt in (("running", 1), ("up_for_retry", 1), ("running", 2), ("failed", 2)):
        progress.show("d", [task("t", state, attempt)])
    assert [line.split(maxsplit=2)[2] for line in lines(capsys)[1:]] == [
        "running",
        "up_for_retry",
        "running (attempt 2)",
        "failed (attempt 2)",
    ]


def test_tasks_of_the_same_name_are_told_apart_by_their_dag(capsys):
    progress = Progress("b")
    progress.show("one", [task("t", "running")])
    progress.show("two", [task("t", "running")])
    assert len(lines(capsys)) == 3


def test_tasks_are_printed_in_the_order_of_their_start(capsys):
    late = {**task("a", "running"), "start_date": "2025-11-20T06:00:09Z"}
    never = {**task("n", "upstream_failed"), "start_date": None}
    Progress("b").show("d", [never, late, task("z", "success")])
    assert [line.split()[1] for line in lines(capsys)[1:]] == ["z", "a", "n"]
