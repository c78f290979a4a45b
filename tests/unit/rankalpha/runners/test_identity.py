"""The name and the labels that tell which task a container belongs to."""

import re

import pytest

from rankalpha.runners.identity import Identity
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from rankalpha.stack.docker_proxy.operations import CREATE, OUR_NAME, RENAME
from rankalpha.stages import STAGES
from tests.unit.rankalpha.support.demo_stage import KEY, identity, job
from tests.unit.rankalpha.support.task_context import TaskInstance, context

LABELS = {
    "rankalpha.dag": "rankalpha_demo",
    "rankalpha.task": "run_demo",
    "rankalpha.run": "manual__1",
    "rankalpha.map": "-1",
    "rankalpha.stack": "",
}


def test_an_identity_is_made_of_the_running_task():
    assert Identity.of(context(), "demo", KEY) == identity()
    ti = TaskInstance()
    ti.map_index = None  # as Airflow gives it to a task that is not mapped
    assert Identity.of(context(ti=ti), "demo", KEY) == identity()
    ti.map_index, ti.max_tries, ti.try_number = 2, 7, 5
    assert Identity.of(context(ti=ti), "demo", KEY) == identity(map_index=2, group=7, try_number=5)


def test_all_tries_of_a_group_have_one_name():
    assert len({identity(try_number=number).name for number in range(1, 5)}) == 1
    assert identity().name.startswith("rankalpha-demo-2025-11-20T06-00-00-")


@pytest.mark.parametrize(
    "other",
    [
        {"group": 4},
        {"run": "manual__2"},
        {"map_index": 0},
        {"task": "run_other"},
        {"dag": "rankalpha_other"},
        {"batch": "2025-11-21T06:00:00"},
        {"map_index": 1, "group": 13},  # the parts do not run into each other
        {"map_index": 11, "group": 3},
    ],
)
def test_another_group_task_or_run_has_another_name(other):
    assert identity(**other).name != identity().name


def test_two_stacks_do_not_meet_on_one_engine(monkeypatch):
    first = identity().name
    monkeypatch.setenv("RANKALPHA_STACK", "/somewhere/.rankalpha")
    settings.cache_clear()
    assert identity().name != first
    assert identity().of_task["rankalpha.stack"] == "/somewhere/.rankalpha"


@pytest.mark.parametrize("stage", STAGES)
def test_the_docker_proxy_lets_the_name_through(stage):
    name = identity(stage=stage.name, batch="2026-11-22T06:00:00").name
    assert re.fullmatch(OUR_NAME, name)
    assert re.fullmatch(CREATE.query["name"], name)


@pytest.mark.usefixtures("app_dir")
def test_the_docker_proxy_lets_it_be_set_aside():
    job_name = identity().name
    container = ProcessRunner().create(job(), job_name)
    ProcessRunner().set_aside(container.id, 12)
    aside = ProcessRunner().inspect(container.id).name
    assert aside == f"{job_name}-try12"
    assert re.fullmatch(RENAME.query["name"], aside)
    assert not re.fullmatch(OUR_NAME, aside)


def test_labels_name_the_task_and_the_try():
    assert identity().of_task == identity(group=7, try_number=5).of_task == LABELS
    own = {"rankalpha.stage": "demo", "rankalpha.batch": KEY, "rankalpha.group": "7", "rankalpha.try": "5"}
    assert identity(group=7, try_number=5).labels == {**LABELS, **own}
