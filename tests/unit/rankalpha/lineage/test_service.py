"""Airflow's Variables outside of a task, and one whose value its API does not show."""

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.lineage.service import variables_of
from rankalpha.settings import SettingsError
from tests.support.http_server import local_server

VALUES = {"SCORER_MEM": "2g", "OPENAI_API_KEY": "***"}


@pytest.fixture
def variables():
    asked = []

    def answer(request):
        name = request.path.rpartition("/")[2]
        if name == "variables":
            return 200, {"variables": [{"key": key} for key in VALUES]}
        asked.append(name)
        return (200, {"value": VALUES[name]}) if name in VALUES else (404, {"detail": "not found"})

    with local_server(answer) as (url, _):
        yield variables_of(AirflowApi.with_token(url, "token")), asked


def test_only_a_variable_that_exists_is_asked_for(variables):
    found, asked = variables
    assert (found("SCORER_MEM"), found("SCORER_CPUS")) == ("2g", None)
    assert asked == ["SCORER_MEM"]
    assert found.keys() == set(VALUES)


def test_a_value_that_is_not_shown_is_refused_unless_the_environment_has_it(variables, monkeypatch):
    found, _ = variables
    with pytest.raises(SettingsError, match="give it as AIRFLOW_VAR_OPENAI_API_KEY"):
        found("OPENAI_API_KEY")
    monkeypatch.setenv("AIRFLOW_VAR_OPENAI_API_KEY", "sesame")
    assert found("OPENAI_API_KEY") == "sesame"
