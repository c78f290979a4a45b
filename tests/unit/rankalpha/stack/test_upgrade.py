"""Old names of our code in env files are refused with the new ones, which are there."""

import importlib
import importlib.util

import airflow.assets.manager  # noqa: F401  which loads ours
import pytest

from rankalpha.settings import SettingsError
from rankalpha.stack.preflight import check
from rankalpha.stack.upgrade import RENAMED, old_names

EXECUTOR = "AIRFLOW__CORE__EXECUTOR"


@pytest.mark.parametrize("old", RENAMED)
def test_the_new_name_is_there_and_the_old_one_is_not(old):
    assert is_there(RENAMED[old])
    assert not is_there(old)


def is_there(name):
    module, _, part = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), part) or bool(importlib.util.find_spec(name))
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(
    "value",
    [
        "rankalpha.executor.FailFastLocalExecutor",
        "CeleryExecutor,rankalpha.executor.FailFastLocalExecutor",
    ],
)
def test_an_old_name_is_a_problem_that_names_the_new_one(value):
    (problem,) = old_names({EXECUTOR: value, "OTHER": "rankalpha.events"})
    assert problem.startswith(f"{EXECUTOR} holds rankalpha.executor.FailFastLocalExecutor")
    assert problem.endswith("rankalpha.airflow_fixes.executor.FailFastLocalExecutor")


def test_a_module_below_an_old_name_is_one_too():
    (problem,) = old_names({"EXTRACTORS": "rankalpha.openlineage.extractor.DatasetExtractor"})
    assert "now rankalpha.lineage.openlineage" in problem


@pytest.mark.parametrize(
    "value", [*RENAMED.values(), "my_rankalpha.trigger.StageTrigger", "rankalpha.triggers"]
)
def test_other_names_are_no_problem(value):
    assert list(old_names({EXECUTOR: value})) == []


def test_preflight_refuses_an_old_name_in_every_profile():
    with pytest.raises(SettingsError, match=r"now rankalpha\.joins\.asset_manager\.BatchAssetManager"):
        check({"AIRFLOW__CORE__ASSET_MANAGER_CLASS": "rankalpha.events.BatchAssetManager"})
