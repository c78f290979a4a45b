"""A stage whose inputs, image, command and settings are unchanged starts no container."""

import hashlib
import json
import shlex
import sys

import pytest

from rankalpha.operators.stage import StageOperator
from rankalpha.pipeline.versions import PATH
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.reuse_world import ingest, reuse_world, run, runs

FRIDAY, SATURDAY, SUNDAY = (f"2025-11-{day}T06:00:00" for day in (21, 22, 23))


@pytest.fixture
def airflow(app_dir, profile_dir, tmp_path, monkeypatch):
    answer = {"ok": True, "problems": []}
    with (
        local_server(lambda _request: (made.status, answer)) as (url, _),
        reuse_world(app_dir, profile_dir, tmp_path / "data", monkeypatch) as made,
    ):
        made.status = 200  # of the API, which is asked whether a version is on the disk as it was sealed
        monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
        yield made


def two(airflow, content="b", dataset="scores", **how):
    """Publish a batch, and another whose prices have the content `content` where the first had b."""
    ingest(airflow, FRIDAY, "b", "2025-11-21")
    first = run(airflow, FRIDAY, dataset)
    ingest(airflow, SATURDAY, content, "2025-11-21")
    return first, run(airflow, SATURDAY, dataset, **how)


def test_a_version_that_was_made_by_the_same_is_published_again(airflow, capsys):
    first, second = two(airflow)
    assert runs(airflow) == 1
    assert second["version"] == first["version"]
    assert (second["batch"], second["reused_from"]) == (SATURDAY, FRIDAY)
    assert "container" not in second
    assert "reused_from" not in first
    assert "No container" in capsys.readouterr().out


def test_a_version_that_the_api_has_not_compared_is_not_used_again(airflow, capsys):
    airflow.status = 503
    two(airflow)
    assert runs(airflow) == 2
    assert "answered 503" in capsys.readouterr().out


def test_an_api_that_knows_of_no_versions_makes_no_difference(airflow):
    airflow.status = 404
    two(airflow)
    assert runs(airflow) == 1


def test_the_batch_that_made_a_version_is_named_however_often_it_is_used_again(airflow):
    two(airflow)
    ingest(airflow, SUNDAY, "b", "2025-11-21")
    assert run(airflow, SUNDAY)["reused_from"] == FRIDAY
    assert runs(airflow) == 1


def test_other_prices_are_scored(airflow):
    first, second = two(airflow, "c")
    assert runs(airflow) == 2
    assert first["made_by"] != second["made_by"]


def test_a_batch_that_is_run_again_is_made_again(airflow):
    two(airflow)
    for key in (SATURDAY, FRIDAY):
        assert "reused_from" not in run(airflow, key)
    assert runs(airflow) == 3


@pytest.mark.parametrize("how", [{"reuse": False}, {"how": "cleared"}])
def test_who_wants_the_container_to_run_has_it_run(airflow, how):
    _, second = two(airflow, **how)
    assert runs(airflow) == 2
    assert "reused_from" not in second


def test_a_trial_runs(airflow):
    assert two(airflow, how="trial")[1] == "unpublished"
    assert runs(airflow) == 2


@pytest.mark.parametrize(
    "line", ["SCORER_REUSE=false", "SCORER_STALE_DAYS=3", "NEW=1", "SCORER_COMMAND={} again"]
)
def test_another_setting_or_command_runs(airflow, line):
    ingest(airflow, FRIDAY, "b")
    run(airflow, FRIDAY)
    file = airflow.profile / "scorer.env"
    command = file.read_text().strip().partition("=")[2]
    lines = {**dict([file.read_text().strip().split("=", 1)]), **dict([line.format(command).split("=", 1)])}
    file.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    ingest(airflow, SATURDAY, "b")
    run(airflow, SATURDAY)
    assert runs(airflow) == 2


def test_other_code_runs(airflow):
    ingest(airflow, FRIDAY, "b")
    run(airflow, FRIDAY)
    (airflow.app / "apps" / "new.py").write_text("")
    ingest(airflow, SATURDAY, "b")
    run(airflow, SATURDAY)
    assert runs(airflow) == 2


def test_a_changed_secret_runs_and_leaves_no_trace(airflow, monkeypatch):
    secrets = ("sk-first-key-of-all", "sk-second-key-of-all")
    for key, secret in zip((FRIDAY, SATURDAY, SUNDAY), (*secrets, secrets[1]), strict=True):
        monkeypatch.setenv("AIRFLOW_VAR_OPENAI_API_KEY", secret)
        ingest(airflow, key, "b", "2025-11-21")
        run(airflow, key, "sentiment")
    assert runs(airflow) == 2  # the third has the key of the second
    stored = json.dumps([list(airflow.stores.values()), airflow.events])
    assert not any(secret in stored for secret in secrets)
    assert not any(hashlib.sha256(secret.encode()).hexdigest() in stored for secret in secrets)


def test_without_a_key_of_the_installation_nothing_is_used_again(airflow, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    two(airflow)
    assert runs(airflow) == 2


def test_a_version_that_its_batch_no_longer_has_is_not_used_again(airflow):
    ingest(airflow, FRIDAY, "b")
    run(airflow, FRIDAY)
    ingest(airflow, SATURDAY, "b")
    run(airflow, SATURDAY)
    ingest(airflow, FRIDAY, "b", name="ingestion-2-1")
    again = run(airflow, FRIDAY, how="cleared")
    ingest(airflow, SUNDAY, "b")
    assert run(airflow, SUNDAY)["version"] == again["version"]
    assert runs(airflow) == 2


def test_a_version_that_a_person_has_published_anyway_is_blocked_again(airflow):
    ingest(airflow, FRIDAY, "b")
    (airflow.data / "fault").write_text("no rows")
    assert run(airflow, FRIDAY) == "blocked"
    forced = {**airflow.ti.output["result"], "made_by": airflow.ti.output["made_by"]}
    airflow.register("scores", FRIDAY, {**forced, "forced": {"by": "ann", "reason": "a holiday"}})
    ingest(airflow, SATURDAY, "b")
    assert run(airflow, SATURDAY) == "blocked"
    assert runs(airflow) == 1
    assert airflow.ti.output["reused_from"] == FRIDAY


def test_an_attempt_that_has_begun_is_adopted(airflow, monkeypatch):
    ingest(airflow, FRIDAY, "b")
    run(airflow, FRIDAY)
    ingest(airflow, SATURDAY, "b")
    began = []
    monkeypatch.setattr(StageOperator, "_used_again", lambda *_: began.append(1))
    monkeypatch.setattr("rankalpha.containers.attempt.Attempt.began", lambda *_: True)
    run(airflow, SATURDAY)
    assert not began
    assert runs(airflow) == 2


def test_headlines_are_read_again_in_a_new_session_though_prices_are_the_same(airflow):
    for key, session in ((FRIDAY, "2025-11-20"), (SATURDAY, "2025-11-21"), (SUNDAY, "2025-11-21")):
        ingest(airflow, key, "b", session)
        run(airflow, key, "sentiment")
    assert runs(airflow) == 2


def test_without_a_calendar_headlines_are_read_each_day(airflow):
    for key in (FRIDAY, SATURDAY, "2025-11-22T18:00:00"):
        ingest(airflow, key, "b")
        run(airflow, key, "sentiment")
    assert runs(airflow) == 2


def test_sentiment_that_carries_by_itself_always_runs(airflow, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SENTIMENT_SKIP_IF_WITHIN_DAYS", "2")
    two(airflow, dataset="sentiment")
    assert runs(airflow) == 2


def test_an_image_that_takes_no_part_in_versions_always_runs(airflow, monkeypatch):
    started = airflow.data / "started"
    result = {"rows": 1, "symbols": 1, "as_of": "2025-11-21"}
    script = (
        f"import json, os; open({str(started)!r}, 'a').write('x'); "
        f"json.dump({result}, open(os.environ['RANKALPHA_RESULT'], 'w'))"
    )
    monkeypatch.setenv("AIRFLOW_VAR_SCORER_VERSIONS", "false")
    monkeypatch.setenv("AIRFLOW_VAR_SCORER_COMMAND", shlex.join([sys.executable, "-c", script]))
    for key in (FRIDAY, SATURDAY):
        ingest(airflow, key, "b")
        assert "made_by" not in run(airflow, key)
    assert started.read_text() == "xx"


def test_no_result_can_say_itself_what_made_it(airflow):
    ingest(airflow, FRIDAY, "b")
    (airflow.data / "more").write_text(json.dumps({"made_by": "0" * 64, "reused_from": "x"}))
    found = run(airflow, FRIDAY, reuse=False)
    assert found["made_by"] != "0" * 64
    assert "reused_from" not in found
    assert PATH.fullmatch(found["version"]["path"])
