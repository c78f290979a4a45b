"""A machine that loses its power: `up` brings back what was there, and goes on."""

import contextlib

import psutil
import pytest

pytestmark = [pytest.mark.usefixtures("well_again"), pytest.mark.timeout(600)]


def test_a_stack_of_which_everything_was_killed_starts_again(stack, lane):
    before, after = "2022-10-01T06:00:00", "2022-10-02T06:00:00"
    lane.trigger("ingestion", before)
    lane.settle()
    killed = stack.running()
    assert len(killed) > 7
    for process in killed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(killed, timeout=30)
    stack.start()
    lane.trigger("ingestion", after)
    lane.settle()
    for key in (before, after):
        assert [run["state"] for run in lane.runs_of("grading", key)] == ["success"]
