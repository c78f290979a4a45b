"""What the task of a stage leaves and how it fails, whether it is deferred or not."""

import json
from pathlib import Path

import pytest
from airflow.sdk._shared.secrets_masker import SecretsMasker
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.log import mask_logs

from rankalpha.runners.failures import StageFailed, StageInvalid
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from rankalpha.stages.output import OUTPUT
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT, identity
from tests.unit.rankalpha.support.operator_helpers import run_task, task
from tests.unit.rankalpha.support.task_context import published

REPORT = "import json, os\nopen(os.environ['RANKALPHA_RESULT'], 'w').write({text!r})\n"
NAME = identity().name


@pytest.fixture(autouse=True, params=["true", "false"], ids=["deferred", "not deferred"])
def folder(app_dir, profile_dir, monkeypatch, request) -> Path:
    monkeypatch.setenv("RANKALPHA_DEFER", request.param)
    settings.cache_clear()
    (app_dir / "main.py").write_text(REPORT.format(text=json.dumps(RESULT)))
    return app_dir


def test_a_stage_leaves_its_batch_and_result_and_what_its_container_was(folder, capsys):
    burn = "import time\nx = b'x' * 60_000_000\nwhile time.process_time() < 0.3: pass\n"
    with (folder / "main.py").open("a") as code:
        code.write(burn)
    ti = run_task(task())
    output = ti.output
    assert ti.xcoms.keys() == {OUTPUT}
    assert (output["batch"], output["result"]) == (KEY, RESULT)
    about = output["container"]
    assert (about["image"], about["digest"], about["name"]) == ("demo:1", None, NAME)
    assert 0.3 <= about["cpu_seconds"] < 1
    assert 0.3 <= about["seconds"] < 5
    assert 60e6 < about["peak_memory_bytes"] < 100e6
    assert f"{NAME} from image demo:1 ran for {about['seconds']:.1f} s: 0." in capsys.readouterr().out


def test_a_stage_that_reports_nothing(folder):
    (folder / "main.py").write_text("")
    assert run_task(task()).output["result"] is None


def test_a_stage_is_told_the_batch_that_its_input_was_published_for(folder):
    code = "import os\nassert os.environ['RANKALPHA_BATCH'] == '2025-11-19T06:00:00'\n"
    (folder / "main.py").write_text(code + "assert os.environ['RANKALPHA_DATE'] == '2025-11-19'")
    stores = published(prices=["2025-11-18T06:00:00", "2025-11-19T06:00:00"])
    ti = run_task(task(consumes=tuple(stores)), key=None, asset_state_store=stores)
    assert ti.output["batch"] == "2025-11-19T06:00:00"


def test_the_container_is_that_of_the_task():
    run_task(task())
    container = ProcessRunner().find(NAME)
    assert container.labels == identity().labels
    assert container.status == 0  # kept until Airflow has recorded the success


def test_an_unknown_batch_fails_at_once_and_nothing_runs():
    stores = published(prices=["2025-11-18T06:00:00"])
    with pytest.raises(AirflowFailException, match="was never published in prices") as caught:
        run_task(task(consumes=tuple(stores)), asset_state_store=stores)
    assert caught.value.ti.xcoms == {}
    assert ProcessRunner().containers({}) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit(65)", "exited with 65"),
        (REPORT.format(text="{"), "result is not JSON"),
        (REPORT.format(text='{"rows": 1}'), "'symbols' is a required property"),
        (
            REPORT.format(text=json.dumps({**RESULT, "batch": "2025-11-18T06:00:00"})),
            "is for batch '2025-11-18",
        ),
        (
            REPORT.format(text=json.dumps({**RESULT, "details": {"a": "\0"}})),
            r"cannot be stored: \$\.details\.a holds",
        ),
        ("import os\nos.mkdir(os.environ['RANKALPHA_RESULT'])", "is not a plain file"),
        ("import os\nos.mkfifo(os.environ['RANKALPHA_RESULT'])", "is not a plain file"),
        ("import os\nos.symlink('/etc/passwd', os.environ['RANKALPHA_RESULT'])", "is not a plain file"),
        (
            "import os\nos.truncate(os.open(os.environ['RANKALPHA_RESULT'], os.O_CREAT | os.O_RDWR), 2**40)",
            f"has {2**40} bytes, of 1048576 at most",
        ),
    ],
)
def test_what_cannot_heal_fails_at_once_and_leaves_no_result(folder, code, message):
    (folder / "main.py").write_text(code)
    with pytest.raises(AirflowFailException, match=message) as caught:
        run_task(task())
    assert caught.value.ti.xcoms.keys() == {OUTPUT}
    assert (caught.value.ti.output["batch"], caught.value.ti.output["result"]) == (KEY, None)
    assert caught.value.ti.output["container"]["cpu_seconds"] > 0
    assert [container.name for container in ProcessRunner().containers({})] == [f"{NAME}-try1"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("AIRFLOW_VAR_DEMO_MEM", "lots", "DEMO_MEM='lots' is not a size"),
        ("AIRFLOW_VAR_DEMO_COMMAND", "python '", '^DEMO_COMMAND="python \'" cannot be split into words'),
        ("AIRFLOW_VAR_DEMO_IMAGE", "Demo:1", "^DEMO_IMAGE='Demo:1' is not the name of an image"),
        ("AIRFLOW_VAR_ENV_PROFILE", "prod", "unknown profile 'prod'"),
        ("RANKALPHA_RUNNER", "podman", "RANKALPHA_RUNNER='podman' is unknown"),
    ],
)
def test_a_bad_setting_fails_at_once_and_leaves_nothing(monkeypatch, key, value, message):
    monkeypatch.setenv(key, value)
    settings.cache_clear()
    with pytest.raises(AirflowFailException, match=message):
        run_task(task())
    assert ProcessRunner().containers({}) == []


def test_a_folder_that_only_an_image_has_fails_at_once_and_leaves_nothing(folder):
    with pytest.raises(
        AirflowFailException, match=r"working_dir '/srv' is not below /app, .* RANKALPHA_RUNNER=docker"
    ):
        run_task(task(working_dir="/srv"))
    assert ProcessRunner().containers({}) == []


def test_a_variable_that_reaches_nobody_is_told_in_the_log(variables, capsys):
    variables |= {"DEMO_DEPTH": "3", "DATABASE_URL": "s3cret", "SCORER_MEM": "1g", "API_URL": "http://x"}
    run_task(task())
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "reach no container" in line]
    assert "[warning" in said
    assert "DATABASE_URL, DEMO_DEPTH. " in said
    assert "add the line DATABASE_URL= to env/<profile>/demo.env" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(("status", "heals"), [(65, False), (1, True)])
def test_however_much_a_stage_prints_its_error_is_short(folder, status, heals):
    (folder / "main.py").write_text(f"for c in 'abc': print(c * 300_000)\nraise SystemExit({status})")
    with pytest.raises(
        StageFailed if heals else AirflowFailException, match=f"exited with {status}"
    ) as caught:
        run_task(task())
    assert len(str(caught.value)) < 2_000
    assert all(f"  {letter * 100}" in str(caught.value) for letter in "abc")


def test_a_setting_of_any_size_is_cut_in_its_error_and_in_the_cause(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_MEM", "lots" * 100_000)
    with pytest.raises(
        AirflowFailException, match=r"DEMO_MEM=.* \(400000 characters\) is not a size"
    ) as caught:
        run_task(task())
    assert len(str(caught.value)) < 1_000
    assert len(str(caught.value.__cause__)) < 1_000


def test_a_command_that_cannot_be_started_fails_at_once(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_COMMAND", "no-such-program")
    with pytest.raises(AirflowFailException, match=r"exited with 127.*correct DEMO_COMMAND"):
        run_task(task())


def test_a_failure_that_may_heal_is_left_to_the_retries_which_begin_anew(folder):
    (folder / "main.py").write_text("print('no luck')\nraise SystemExit(1)")
    with pytest.raises(StageFailed, match=r"exited with 1\. Last lines:\n  no luck") as caught:
        run_task(task())
    assert not isinstance(caught.value, StageInvalid)
    first = ProcessRunner().find(f"{NAME}-try1")
    (folder / "main.py").write_text(REPORT.format(text=json.dumps(RESULT)))
    ti = caught.value.ti
    ti.try_number = 2
    assert run_task(task(), ti).output["result"] == RESULT
    assert {container.id for container in ProcessRunner().containers({})} > {first.id}


def test_a_secret_reaches_the_stage_and_nothing_else(folder, monkeypatch, capsys):
    secret = f"hunter2-{settings().defer}"  # what was masked once stays masked
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_ACCOUNT", secret)  # by its name Airflow does not know it for one
    say = "import os, time\nprint('key:', os.environ['DEMO_ACCOUNT'])\ntime.sleep(0.5)\n"
    (folder / "main.py").write_text(say + "raise SystemExit(1)")
    with pytest.raises(StageFailed) as caught:
        run_task(task(secrets=("DEMO_ACCOUNT",)))
    raw = capsys.readouterr().out
    assert "key: ***" in raw
    assert secret not in raw + str(caught.value) + json.dumps(caught.value.ti.xcoms)


def test_a_setting_that_sounds_secret_is_hidden(profile_dir):
    password = f"hunter2-the-first-{settings().defer}"
    (profile_dir / "demo.env").write_text(f"DEMO_PASSWORD={password}\n")
    run_task(task())
    assert mask_logs(None, "info", {"event": f"is {password}"})["event"] == "is ***"


def test_short_settings_that_are_no_secrets_make_no_noise(profile_dir, capsys, monkeypatch):
    monkeypatch.setattr(SecretsMasker, "_has_warned_short_secret", False)
    (profile_dir / "demo.env").write_text("DEMO_DEPTH=3\n")
    run_task(task())
    assert "Skipping masking" not in capsys.readouterr().out
