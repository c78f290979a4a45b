"""Publishing a dataset: what is checked before, and what its event says."""

from datetime import timedelta

import pytest
from airflow.sdk import DAG, Asset
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import change, reported
from rankalpha.operators import PublishOperator, StageOperator, given
from rankalpha.pipeline.versions import VERSIONS_KEY
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT, stage
from tests.unit.rankalpha.support.task_context import TaskInstance, context

DATASET = Asset(name="demo", uri="rankalpha://demo")
CONTAINER = {"image": "demo:1", "digest": "sha256:0", "name": "demo", "seconds": 1.5}
EMPTY = {**RESULT, "rows": 0}
WORD = {"by": "ann", "reason": "the exchange was closed", "try": 1}


def contract(**least):
    checks = [
        Check(name=name, figure=reported(name), least=number)
        for name, number in ({"rows": 1, "symbols": 1} | least).items()
    ]
    checks.append(Check(name="change of rows", figure=change("rows"), least=-20, unit="%", severity="warn"))
    return Contract(
        owner="rankalpha",
        description="demo",
        freshness=timedelta(hours=26),
        checks=tuple(checks),
        details={},
    )


def publish(result=RESULT, batch=KEY, key=KEY, params=None, earlier=None, xcoms=None, versions=None, **least):
    with DAG("rankalpha_demo", schedule=None):
        task = PublishOperator(task_id="publish_demo", dataset=DATASET, contract=contract(**least))
        StageOperator(task_id="run_demo", stage=stage()) >> task
    ti = TaskInstance(batch=batch, result=result, **(xcoms or {}))
    events, store = OutletEventAccessors(), {DATASET: {VERSIONS_KEY: versions or {}}}
    run = context(key, ti, outlet_events=events, params=params or {}, asset_state_store=store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(given, "figures", lambda _: earlier or {})
        try:
            task.execute(run)
        except Exception as error:
            error.events, error.ti = events, ti
            raise
    assert set(ti.asked) == {"run_demo"}
    assert "quarantine" not in ti.xcoms
    return events


def refused(match, **what):
    """What is left by a try that has to publish nothing."""
    with pytest.raises(AirflowFailException, match=match) as caught:
        publish(**what)
    assert len(caught.value.events) == 0
    return caught.value


def test_a_published_event_is_of_the_batch_and_carries_result_checks_and_container():
    event = publish(xcoms={"container": CONTAINER})[DATASET]
    checks = event.extra.pop("checks")
    assert event.extra == {**RESULT, "batch": KEY, "container": CONTAINER}
    assert {one["name"]: one["passed"] for one in checks} == dict.fromkeys(
        ["result", "details", "rows", "symbols", "change of rows"], True
    )
    assert event.partition_keys == {KEY}


def test_what_a_person_lets_through_is_the_version_that_was_blocked():
    version = {"path": f"prices/{KEY}/demo-1-1", "sha256": "0a" * 32, "files": {}, "inputs": {}}
    kept = refused("not published", result={**EMPTY, "version": version}).ti.xcoms["quarantine"]
    event = publish(result=kept["result"], xcoms={"publish_anyway": WORD})[DATASET]
    assert event.extra["version"] == version


def test_a_failed_stage_that_a_person_has_marked_as_a_success_takes_no_version_away():
    """Its event would name no version, and take the place of the one that is published."""
    stored = {"2025-11-19T06:00:00": {"path": "demo/2025-11-19T06:00:00/demo-1-1", "sha256": "0a" * 32}}
    error = refused("run_demo has failed", result=None, xcoms={"failed": True}, versions=stored)
    assert "clear run_demo" in str(error)
    assert "quarantine" not in error.ti.xcoms


def test_a_failed_stage_without_versions_is_published_as_the_person_says():
    """What it has written to its volume may be right, and only that person knows."""
    assert publish(result=None, xcoms={"failed": True})[DATASET].partition_keys == {KEY}


def test_a_run_without_a_key_publishes_its_batch_all_the_same():
    assert publish(key=None)[DATASET].partition_keys == {KEY}


def test_a_broken_contract_publishes_nothing_and_keeps_what_it_has_refused():
    error = refused("not published", rows=100, symbols=50, xcoms={"container": CONTAINER})
    assert str(error) == (
        f"batch {KEY} is not published in demo: "
        "Rows is 3; expected at least 100. Symbols is 2; expected at least 50"
    )
    kept = error.ti.xcoms["quarantine"]
    assert (kept["batch"], kept["result"], kept["container"]) == (KEY, RESULT, CONTAINER)
    assert [one["name"] for one in kept["checks"] if not one["passed"]] == ["rows", "symbols"]


def test_a_warning_publishes_and_is_told(capsys):
    earlier = {"2025-11-18T06:00:00": {"rows": 2}, "2025-11-19T06:00:00": {"rows": 9}}
    later = {"2025-11-21T06:00:00": {"rows": 3}, "zzz": {"rows": 3}}
    event = publish(earlier={**earlier, **later})[DATASET]
    (warning,) = [one for one in event.extra["checks"] if not one["passed"]]
    assert (warning["name"], warning["severity"], warning["value"]) == ("change of rows", "warn", -66.6667)
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "Change of rows is" in line]
    assert "[warning  ] Change of rows is -66.6667 %; expected at least -20 %." in told
    assert "forced" not in event.extra


def test_a_missing_result_is_allowed_where_none_is_required():
    extra = publish(result=None)[DATASET].extra
    assert (extra.keys(), extra["batch"]) == ({"batch", "checks"}, KEY)


def test_a_missing_result_publishes_nothing_where_one_is_required(monkeypatch):
    monkeypatch.setenv("RANKALPHA_REQUIRE_RESULT", "true")
    refused("not published in demo: The stage reported no result", result=None)


def test_a_result_is_enough_where_one_is_required(monkeypatch):
    monkeypatch.setenv("RANKALPHA_REQUIRE_RESULT", "true")
    assert publish()[DATASET].partition_keys == {KEY}


def test_a_person_publishes_in_spite_of_the_checks_and_the_event_says_so(capsys):
    event = publish(result=EMPTY, xcoms={"publish_anyway": WORD})[DATASET]
    assert event.extra["forced"] == {"by": "ann", "reason": "the exchange was closed"}
    assert [one["name"] for one in event.extra["checks"] if not one["passed"]] == ["rows"]
    assert event.partition_keys == {KEY}
    assert "Published anyway, despite rows, by ann: the exchange was closed" in capsys.readouterr().out


def test_where_nothing_is_wrong_a_word_changes_nothing():
    assert "forced" not in publish(xcoms={"publish_anyway": WORD})[DATASET].extra


@pytest.mark.parametrize(
    "word",
    [
        {**WORD, "try": 2},
        {**WORD, "try": 0},
        {**WORD, "try": "1"},
        {**WORD, "reason": " "},
        {**WORD, "reason": "x" * 501},
        {**WORD, "reason": "a\0b"},
        {**WORD, "reason": "\ud800"},
        {**WORD, "by": "a\0b"},
        {**WORD, "try": True},
        {**WORD, "by": ""},
        {"by": "ann", "try": 1},
        "publish",
        ["publish"],
        1,
    ],
)
def test_a_word_that_is_none_or_of_another_try_publishes_nothing(word):
    error = refused("Rows is 0", result=EMPTY, xcoms={"publish_anyway": word})
    assert "quarantine" in error.ti.xcoms


def test_nothing_is_published_without_a_batch():
    refused("run_demo has no batch to publish yet", batch=None, result=None)


@pytest.mark.parametrize("of_a_run", [False, True])
def test_a_trial_by_airflow_tasks_test_publishes_nothing(monkeypatch, of_a_run):
    """It may be given the id of a real run, whose event would then be a real one."""
    if of_a_run:
        monkeypatch.setenv("AIRFLOW_TEST_MODE", "True")
    else:
        monkeypatch.setattr(TaskInstance, "run_id", "__airflow_temporary_run_2025-01-01T00:00:00+00:00__")
    with pytest.raises(AirflowSkipException, match="publishes nothing") as caught:
        publish()
    assert len(caught.value.events) == 0


def test_a_run_that_was_told_not_to_publish_checks_and_skips():
    with pytest.raises(
        AirflowSkipException, match=f"{KEY} passes its contract, but this run was started with publishing off"
    ):
        publish(params={"publish": False})
    refused("Rows is 0", result=EMPTY, params={"publish": False})
