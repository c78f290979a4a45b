"""What the end of a stage means for its task."""

import re
from datetime import UTC, datetime

import pytest

from rankalpha.containers.durable import check_exit
from rankalpha.runners.container import Container
from rankalpha.runners.failures import StageFailed, StageInvalid
from tests.unit.rankalpha.support.demo_stage import stage


def container(status: int | None, **more) -> Container:
    return Container("id", "name", {}, running=False, created=datetime.now(UTC), status=status, **more)


@pytest.mark.parametrize("status", [64, 65, 78, 125, 126, 127])
def test_wrong_usage_data_configuration_and_commands_do_not_heal(status):
    with pytest.raises(StageInvalid, match=f"stage demo, container name, exited with {status}"):
        check_exit(stage(), container(status), ["a", "b"])


@pytest.mark.parametrize("status", [1, 2, 69, 70, 75, 77, 79, 137, 143, None])
def test_any_other_status_may_heal(status):
    with pytest.raises(StageFailed) as caught:
        check_exit(stage(), container(status), ["a", "b"])
    assert not isinstance(caught.value, StageInvalid)
    assert str(caught.value).endswith("Last lines:\n  a\n  b")
    end = "ended" if status is None else f"exited with {status}"
    assert f"{end}." in str(caught.value)


@pytest.mark.parametrize(
    ("status", "more", "hint"),
    [
        (137, {}, "It was killed, but not by its memory limit."),
        (137, {"out_of_memory": True}, "killed because memory ran out: raise DEMO_MEM."),
        (127, {}, "cannot be run: correct DEMO_COMMAND."),
        (None, {}, "Its supervising process was killed, so its exit status is unknown."),
    ],
)
def test_the_error_says_what_can_be_done(status, more, hint):
    with pytest.raises(StageFailed) as caught:
        check_exit(stage(), container(status, **more), [])
    assert hint in str(caught.value)
    assert str(caught.value).endswith("Last lines: It printed nothing.")


def test_long_lines_are_cut():
    with pytest.raises(StageInvalid) as caught:
        check_exit(stage(), container(65), ["x" * 300_000] * 3)
    assert [int(found) for found in re.findall(r"\[… (\d+) characters", str(caught.value))] == [299_538] * 3
    assert len(str(caught.value)) < 2_000


def test_a_stage_that_is_done_may_be_warned_about():
    assert check_exit(stage(), container(0), ["a"]) == ""
    assert check_exit(stage(), container(0, out_of_memory=True), []).startswith("The stage reports success. ")
