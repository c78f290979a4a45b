"""A third runner is one file and one line: everything else works with it, although it renames nothing."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from rankalpha.containers.sweep import sweep_containers
from rankalpha.runners import RUNNERS
from rankalpha.runners.failures import StageFailed
from rankalpha.settings import settings
from tests.unit.rankalpha.support import throwaway_runner
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT, identity
from tests.unit.rankalpha.support.operator_helpers import run_task, task
from tests.unit.rankalpha.support.task_context import TaskInstance, context
from tests.unit.rankalpha.support.throwaway_runner import ENGINE, ThrowawayRunner

WRITE = f"import os; open(os.environ['RANKALPHA_RESULT'], 'w').write({json.dumps(RESULT)!r})"
NAME = identity().name


@pytest.fixture(autouse=True, params=["true", "false"], ids=["deferred", "not deferred"])
def code(request, monkeypatch, profile_dir, tmp_path) -> Path:
    """The only line that names the runner; return the program that its stage runs."""
    monkeypatch.setitem(RUNNERS, "throwaway", f"{throwaway_runner.__name__}:ThrowawayRunner")
    file = tmp_path / "main.py"
    file.write_text(WRITE)
    for key, value in {"RUNNER": "throwaway", "DEFER": request.param, "DEFER_AFTER": "0"}.items():
        monkeypatch.setenv(f"RANKALPHA_{key}", value)
    (profile_dir / "demo.env").write_text(f"DEMO_COMMAND={sys.executable} {file}\n")
    settings.cache_clear()
    yield file
    for container in ThrowawayRunner().containers({}):
        ThrowawayRunner().remove(container.id)


def test_a_stage_runs_and_its_container_goes_with_its_success(airflow_says):
    operator = task()
    ti = run_task(operator)
    assert (ti.output["batch"], ti.output["result"], ti.output["container"]["name"]) == (KEY, RESULT, NAME)
    airflow_says("success")
    operator.forget(context(task=operator))
    assert ENGINE == {}


def test_a_failed_stage_is_set_aside_and_the_next_attempt_has_a_container_of_the_same_name(code):
    code.write_text("print('no luck'); raise SystemExit(1)")
    with pytest.raises(StageFailed, match="no luck"):
        run_task(task())
    code.write_text(WRITE)
    ti = TaskInstance()
    ti.try_number = 2
    assert run_task(task(), ti).output["result"] == RESULT
    kept = ThrowawayRunner().containers({})
    assert [(container.name, container.set_aside) for container in kept] == [(NAME, True), (NAME, False)]


def test_a_stage_is_stopped_at_its_limit(code):
    code.write_text("import time; time.sleep(600)")
    with pytest.raises(StageFailed, match="stopped at its time limit"):
        run_task(task(timeout=timedelta(seconds=1)))
    (container,) = ThrowawayRunner().containers({})
    assert (container.running, container.set_aside) == (False, True)


@pytest.mark.parametrize(("hours", "there"), [("24", 1), ("0", 0)])
def test_what_was_set_aside_is_swept_when_its_time_is_over(code, monkeypatch, hours, there):
    code.write_text("raise SystemExit(1)")
    with pytest.raises(StageFailed):
        run_task(task())
    monkeypatch.setenv("RANKALPHA_KEEP_FAILED_HOURS", hours)
    settings.cache_clear()
    sweep_containers(TaskInstance())
    assert len(ENGINE) == there
