import json
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.sdk import DAG, Asset
from airflow.sdk._shared.secrets_masker import SecretsMasker
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors
from airflow.sdk.log import mask_logs
from rankalpha_helpers import KEY, RESULT, TaskInstance, context, published, stage

from rankalpha.contract import Contract
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.runners import StageFailed
from rankalpha.settings import SettingsError, settings

SECRET = "sk-hunter2-and-more"
DATASET = Asset(name="demo", uri="rankalpha://demo")
REPORT = "import json, os\nopen(os.environ['RANKALPHA_RESULT'], 'w').write({text!r})\n"


@pytest.fixture(autouse=True)
def app_dir(tmp_path, profile_dir, monkeypatch) -> Path:
    monkeypatch.setenv("RANKALPHA_APP_DIR", str(tmp_path))
    monkeypatch.setenv("RANKALPHA_RUNNER", "process")
    (tmp_path / "main.py").write_text(REPORT.format(text=json.dumps(RESULT)))
    return tmp_path


def execute(consumes=(), key=KEY, stores=None, **parts) -> TaskInstance:
    ti = TaskInstance()
    task = StageOperator(task_id="run_demo", stage=stage(**parts), consumes=consumes)
    try:
        task.execute(context(key, ti, asset_state_store=stores or {}))
    except Exception as error:
        error.ti = ti
        raise
    return ti


def publish(result=RESULT, batch=KEY, key=KEY, **least):
    contract = Contract(owner="rankalpha", freshness=timedelta(hours=26), **least)
    with DAG("rankalpha_demo", schedule=None):
        task = PublishOperator(task_id="publish_demo", dataset=DATASET, contract=contract)
        StageOperator(task_id="run_demo", stage=stage()) >> task
    ti = TaskInstance(batch=batch, result=result)
    events = OutletEventAccessors()
    try:
        task.execute(context(key, ti, outlet_events=events))
    except Exception as error:
        error.events = events
        raise
    assert ti.asked == ["run_demo", "run_demo"]
    return events


def test_a_stage_leaves_its_batch_and_result():
    assert execute().xcoms == {"batch": KEY, "result": RESULT}


def test_a_stage_that_reports_nothing(app_dir):
    (app_dir / "main.py").write_text("")
    assert execute().xcoms == {"batch": KEY, "result": None}


def test_a_stage_is_told_the_batch_that_its_input_was_published_for(app_dir):
    (app_dir / "main.py").write_text(
        "import os; print(os.environ['RANKALPHA_BATCH'], os.environ['RANKALPHA_DATE'])"
    )
    stores = published(prices=["2025-11-18T06:00:00", "2025-11-19T06:00:00"])
    assert execute(tuple(stores), None, stores).xcoms["batch"] == "2025-11-19T06:00:00"


def test_a_stage_is_limited_in_time_and_pushes_no_return_value():
    task = StageOperator(task_id="run_demo", stage=stage(timeout=timedelta(minutes=7)), consumes=[DATASET])
    assert task.execution_timeout == timedelta(minutes=7)
    assert task.do_xcom_push is False
    assert task.inlets == [DATASET]  # else Airflow refuses to tell which batches it has


def test_labels_name_the_task(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "rankalpha.runners.process.ProcessRunner.run", lambda _self, job, _log: seen.append(job) or b""
    )
    execute()
    assert seen[0].labels == {
        "rankalpha.dag": "rankalpha_demo",
        "rankalpha.task": "run_demo",
        "rankalpha.run": "manual__1",
        "rankalpha.try": "1",
        "rankalpha.batch": KEY,
    }


def test_an_unknown_batch_fails_at_once_and_nothing_runs(app_dir):
    (app_dir / "main.py").write_text("open('ran', 'w')")
    stores = published(prices=["2025-11-18T06:00:00"])
    with pytest.raises(AirflowFailException, match="was never published in prices") as caught:
        execute(tuple(stores), KEY, stores)
    assert caught.value.ti.xcoms == {}
    assert not (app_dir / "ran").exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit('bad') if 0 else SystemExit(65)", "exited with 65"),
        (REPORT.format(text="{"), "result is not JSON"),
        (REPORT.format(text='{"rows": 1}'), "'symbols' is a required property"),
        (
            REPORT.format(text=json.dumps({**RESULT, "batch": "2025-11-18T06:00:00"})),
            "is for batch 2025-11-18",
        ),
    ],
)
def test_what_cannot_heal_fails_at_once_and_leaves_no_result(app_dir, code, message):
    (app_dir / "main.py").write_text(code)
    with pytest.raises(AirflowFailException, match=message) as caught:
        execute()
    assert caught.value.ti.xcoms == {"batch": KEY}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("AIRFLOW_VAR_DEMO_MEM", "lots", "DEMO_MEM='lots' is no size"),
        ("AIRFLOW_VAR_DEMO_COMMAND", "no-such-program", "cannot start stage demo: 'no-such-program'"),
        ("AIRFLOW_VAR_ENV_PROFILE", "prod", "unknown profile 'prod'"),
        ("RANKALPHA_RUNNER", "podman", "RANKALPHA_RUNNER='podman' is unknown"),
    ],
)
def test_a_bad_setting_fails_at_once(monkeypatch, key, value, message):
    monkeypatch.setenv(key, value)
    with pytest.raises(AirflowFailException, match=message):
        execute()


def test_a_failure_that_may_heal_is_left_to_the_retries(app_dir):
    (app_dir / "main.py").write_text("raise SystemExit(1)")
    with pytest.raises(StageFailed, match="exited with 1"):
        execute()


def test_a_killed_task_stops_its_stage():
    task = StageOperator(task_id="run_demo", stage=stage())
    task.on_kill()  # before it has started anything
    stopped = []

    class Runner:
        def stop(self) -> None:
            stopped.append(self)

    task._runner = Runner()
    task.on_kill()
    assert stopped == [task._runner]


def test_a_secret_reaches_the_stage_and_nothing_else(app_dir, monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_VAR_OPENAI_API_KEY", SECRET)
    (app_dir / "main.py").write_text(
        "import os\nprint('key:', os.environ['OPENAI_API_KEY'])\n" + REPORT.format(text=json.dumps(RESULT))
    )
    ti = execute(secrets=("OPENAI_API_KEY",))
    assert ti.xcoms == {"batch": KEY, "result": RESULT}
    raw = capsys.readouterr().out
    assert "key: ***" in raw
    assert SECRET not in raw


def test_a_setting_that_sounds_secret_is_hidden(profile_dir):
    (profile_dir / "demo.env").write_text("DEMO_PASSWORD=hunter2-the-first\n")
    execute()
    assert mask_logs(None, "info", {"event": "is hunter2-the-first"})["event"] == "is ***"


def test_the_name_of_a_secret_need_not_sound_like_one(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_ACCOUNT", "hunter2-the-second")
    execute(secrets=("DEMO_ACCOUNT",))
    assert mask_logs(None, "info", {"event": "is hunter2-the-second"})["event"] == "is ***"


def test_a_published_event_is_of_the_batch_and_carries_the_result():
    event = publish()[DATASET]
    assert event.extra == {**RESULT, "batch": KEY}
    assert event.partition_keys == {KEY}


def test_a_run_without_a_key_publishes_its_batch_all_the_same():
    assert publish(key=None)[DATASET].partition_keys == {KEY}


def test_publishing_is_done_in_the_pool_of_one_slot():
    contract = Contract(owner="rankalpha", freshness=timedelta(hours=26))
    task = PublishOperator(task_id="publish_demo", dataset=DATASET, contract=contract)
    assert (task.pool, task.pool_slots, task.outlets) == ("publish", 1, [DATASET])


def test_a_broken_contract_publishes_nothing():
    with pytest.raises(AirflowFailException) as caught:
        publish(min_rows=100, min_symbols=50)
    assert str(caught.value) == (
        f"batch {KEY} is not published in demo: "
        "rows is 3, at least 100 expected; symbols is 2, at least 50 expected"
    )
    assert len(caught.value.events) == 0


def test_a_missing_result_is_allowed_where_none_is_required():
    assert publish(result=None)[DATASET].extra == {"batch": KEY}


def test_a_missing_result_publishes_nothing_where_one_is_required(monkeypatch):
    monkeypatch.setenv("RANKALPHA_REQUIRE_RESULT", "true")
    with pytest.raises(
        AirflowFailException, match="not published in demo: the stage reported no result"
    ) as caught:
        publish(result=None)
    assert len(caught.value.events) == 0


def test_a_result_is_enough_where_one_is_required(monkeypatch):
    monkeypatch.setenv("RANKALPHA_REQUIRE_RESULT", "true")
    assert publish()[DATASET].partition_keys == {KEY}


def test_nothing_is_published_without_a_batch():
    with pytest.raises(AirflowFailException, match="run_demo left no batch to publish") as caught:
        publish(batch=None, result=None)
    assert len(caught.value.events) == 0


def test_a_trial_by_airflow_tasks_test_publishes_nothing(monkeypatch):
    monkeypatch.setattr(TaskInstance, "run_id", "__airflow_temporary_run_2025-01-01T00:00:00+00:00__")
    with pytest.raises(AirflowSkipException, match="publishes nothing") as caught:
        publish()
    assert len(caught.value.events) == 0


def test_a_stage_runs_in_the_pool_and_the_queue_of_the_settings(monkeypatch):
    assert StageOperator(task_id="run_demo", stage=stage()).pool == "stages"
    assert StageOperator(task_id="run_demo", stage=stage()).queue == "default"
    monkeypatch.setenv("RANKALPHA_QUEUES", "other=x, demo=large")
    settings.cache_clear()
    assert StageOperator(task_id="run_demo", stage=stage()).queue == "large"
    monkeypatch.setenv("RANKALPHA_QUEUES", "demo")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="RANKALPHA_QUEUES='demo': expected STAGE=QUEUE"):
        StageOperator(task_id="run_demo", stage=stage())


def test_short_settings_that_are_no_secrets_make_no_noise(profile_dir, capsys, monkeypatch):
    monkeypatch.setattr(SecretsMasker, "_has_warned_short_secret", False)
    (profile_dir / "demo.env").write_text("DEMO_DEPTH=3\n")
    execute()
    assert "Skipping masking" not in capsys.readouterr().out
