"""The versions that a service is asked to grade, and to show."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from datasets import GRADES
from rankalpha.operators import given, reuse
from rankalpha.operators.http_call import ServiceError
from rankalpha.operators.service import ServiceOperator, ShowOperator
from rankalpha.pipeline.reuse import listed_reusable
from rankalpha.pipeline.sessions import MarketDay
from rankalpha.pipeline.versions import VERSIONS_KEY
from rankalpha.stages.grading import EVALUATION_SHOW, GRADING_REFRESH, GRADING_SHOW
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import TaskInstance, context, published

GRADED = {"batch": KEY, "as_of": "2025-11-19", "graded": 3, "distribution": {"A": 1}}
SHA = {"scores": "0a" * 32, "sentiment": "0b" * 32}
OLD = f"grades/{KEY}/grading-00000000-1"

pytestmark = pytest.mark.usefixtures("profile_dir")


@pytest.fixture(autouse=True)
def grades(monkeypatch):
    """What is stored of the versions of the grades."""
    stored = {"grades": {KEY: {"path": OLD, "sha256": "0c" * 32}}}
    monkeypatch.setattr(given, "published_versions", lambda dataset: stored.get(dataset, {}))
    return stored


def stores():
    datasets = published(scores=[KEY], sentiment=[KEY])
    for asset, store in datasets.items():
        store[VERSIONS_KEY] = {KEY: {"path": f"{asset.name}/{KEY}/x-1-1", "sha256": SHA[asset.name]}}
    return datasets


def versioned(request):
    """A service that takes part: it writes the version that it is asked for."""
    path = f"grades/{KEY}/{request.json()['version']}"
    return 200, {**GRADED, "version": {"path": path, "sha256": "0d" * 32, "files": {}, "inputs": {}}}


def grade(monkeypatch, answer=versioned, **settings):
    datasets, ti = stores(), TaskInstance()
    for key, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW_VAR_{key}", value)
    with local_server(answer) as (url, requests):
        monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
        task = ServiceOperator(task_id="update_grading", call=GRADING_REFRESH, consumes=list(datasets))
        task.execute(context(KEY, ti, asset_state_store=datasets))
    return requests[0], ti.output["result"]


def test_grading_is_told_what_to_grade_and_how_to_call_it(monkeypatch):
    request, result = grade(monkeypatch)
    said = request.json()
    name = said.pop("version")
    assert said == {
        "batch": KEY,
        "inputs": {name: {"path": f"{name}/{KEY}/x-1-1", "sha256": SHA[name]} for name in SHA},
        "keep": {"since": "", "versions": [OLD], "days": 7},
    }
    assert result["version"]["path"] == f"grades/{KEY}/{name}"


def test_grading_is_told_which_batches_had_the_same_inputs(monkeypatch):
    """So that what it writes into the grades is what the event says."""
    results = {name: {"version": {"files": {"a": {"sha256": "0e" * 32}}}} for name in SHA}
    monkeypatch.setattr(reuse, "results_read", lambda *_: results)
    said = {}

    def answer(request):
        said.update(request.json())
        status, body = versioned(request)
        return status, {**body, "content": "0f" * 32}

    datasets, entries = stores(), {}
    monkeypatch.setattr(given, "reusable", lambda _: entries)
    outputs = []
    for _ in range(2):
        ti = TaskInstance()
        with local_server(answer) as (url, _):
            monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
            task = ServiceOperator(task_id="update_grading", call=GRADING_REFRESH, consumes=list(datasets))
            task.execute(context(KEY, ti, asset_state_store=datasets))
        outputs.append(ti.output)
        older = {**ti.output, **ti.output["result"], "batch": "2025-11-18T06:00:00"}
        entries |= listed_reusable(entries, older["batch"], older)
    first, second = outputs
    assert "carried_over_from" not in first
    assert said["same_inputs"] == {"0f" * 32: "2025-11-18T06:00:00"}
    assert second["carried_over_from"] == "2025-11-18T06:00:00"


def test_grades_that_were_made_from_other_versions_are_not_taken(monkeypatch):
    def other(request):
        _, answer = versioned(request)
        answer["version"]["inputs"] = {"scores": {"path": f"scores/{KEY}/x-9-1", "sha256": SHA["scores"]}}
        return 200, answer

    with pytest.raises(ServiceError, match=f"but the stage was given scores/{KEY}/x-1-1"):
        grade(monkeypatch, other)


def test_grading_is_told_the_session_that_the_prices_are_of(monkeypatch):
    close = datetime(2025, 11, 20, 21, tzinfo=UTC)
    day = MarketDay(date(2025, 11, 19), date(2025, 11, 19), 0, close)
    monkeypatch.setattr(given, "market_day", lambda *asked: {("prices", KEY): day}[asked])
    request, _ = grade(monkeypatch)
    said = request.json()["session"]
    assert said == {"newest": "2025-11-19", "behind": 0, "next_close": close.isoformat()}


@pytest.mark.parametrize("version", [None, "1.2"])
def test_a_service_that_takes_no_part_has_no_version(monkeypatch, version):
    _, result = grade(monkeypatch, lambda _request: (200, {**GRADED, "version": version}))
    assert "version" not in result


def test_a_service_that_refuses_what_it_does_not_know_is_told_the_batch_alone(monkeypatch):
    def strict(request):
        own = {"path": f"grades/{KEY}/own", "sha256": "0d" * 32, "files": {}, "inputs": {}}
        return (200, {**GRADED, "version": own}) if request.json() == {"batch": KEY} else (422, {})

    _, result = grade(monkeypatch, strict, GRADING_VERSIONS="false")
    assert "version" not in result


def test_a_get_names_no_versions(monkeypatch):
    request, _ = grade(monkeypatch, lambda _request: (200, GRADED), GRADING_METHOD="GET")
    assert request.query == {"batch": [KEY]}


def test_another_version_than_was_asked_for_is_not_as_agreed(monkeypatch):
    other = {"path": OLD, "sha256": "0d" * 32, "files": {}, "inputs": {}}
    with pytest.raises(
        ServiceError, match=f"unexpected answer: .*{OLD}.*was told to write grades/{KEY}/grading"
    ):
        grade(monkeypatch, lambda _request: (200, {**GRADED, "version": other}))


def test_a_setting_that_is_neither_true_nor_false_fails_at_once(monkeypatch):
    with pytest.raises(AirflowFailException, match="GRADING_VERSIONS='yes' is neither true nor false"):
        grade(monkeypatch, GRADING_VERSIONS="yes")


OWN = {"path": f"grades/{KEY}/grading-11111111-1", "sha256": "0e" * 32}  # of this run


def show(monkeypatch, answer=lambda _request: (200, {"batch": KEY}), version=OWN, call=GRADING_SHOW, **xcoms):
    own = {"version": version} if version else None
    with local_server(answer) as (url, requests), DAG("rankalpha_grading", schedule=None):
        monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
        task = ShowOperator(task_id="show", call=call, batch_from="update_grading", dataset=GRADES)
        EmptyOperator(task_id="publish_grades") >> task
        task.execute(context(None, TaskInstance(batch=KEY, result=own, **xcoms)))
    return requests


def test_what_is_published_is_shown_and_not_what_this_run_has_made(monkeypatch):
    (request,) = show(monkeypatch)
    assert (request.method, request.path) == ("POST", "/api/v1/grading/publish")
    assert request.json() == {"batch": KEY, "version": {"path": OLD, "sha256": "0c" * 32}}


def test_grades_without_a_version_are_shown_by_the_service_itself(monkeypatch, grades):
    grades["grades"].clear()
    assert show(monkeypatch, version=None) == []


def test_a_service_of_ones_own_need_not_show_evaluations(monkeypatch):
    call = replace(EVALUATION_SHOW, path="/elsewhere")
    for status in (404, 405):
        (request,) = show(monkeypatch, lambda _request, status=status: (status, {"detail": "no"}), call=call)
        assert request.path == "/elsewhere"
    with pytest.raises(AirflowFailException, match="404"):
        show(monkeypatch, lambda _request: (404, {"detail": "no"}))


def test_of_a_batch_that_the_store_keeps_no_more_the_version_of_this_run_is_shown(monkeypatch, grades):
    """It keeps the newest 400; a batch before those may be graded again."""
    grades["grades"].clear()
    (request,) = show(monkeypatch, published=OWN["path"])
    assert request.json() == {"batch": KEY, "version": OWN}


@pytest.mark.parametrize("published", [None, OLD])
def test_grades_that_nobody_has_published_are_not_shown(monkeypatch, grades, published):
    """A person has marked the publishing task, which the contract had blocked, as a success."""
    grades["grades"].clear()
    unasked = "nothing was asked"
    with pytest.raises(AirflowFailException, match=f"batch {KEY} is not published in grades") as told:
        show(monkeypatch, lambda _request: pytest.fail(unasked), published=published)
    assert "clear publish_grades, or use Publish anyway" in str(told.value)


def test_a_version_that_the_service_refuses_is_final(monkeypatch):
    with pytest.raises(AirflowFailException, match=r"answered 422: .*grades file has other bytes"):
        show(monkeypatch, lambda _: (422, {"detail": "grades file has other bytes"}))


def test_an_event_with_a_version_that_cannot_exist_is_final(monkeypatch, grades):
    grades["grades"][KEY]["path"] = "../x"
    with pytest.raises(AirflowFailException, match=f"batch {KEY} in grades names a version that cannot"):
        show(monkeypatch)


def test_grades_that_are_not_in_the_record_are_shown_with_a_warning(monkeypatch, capsys):
    problem = "2026-11.parquet is damaged: no footer; run make rebuild-history"
    show(monkeypatch, lambda _: (200, {"batch": KEY, "not_recorded": problem}))
    (warning,) = (line for line in capsys.readouterr().out.splitlines() if "not in the API's record" in line)
    assert "warning" in warning
    assert problem in warning
