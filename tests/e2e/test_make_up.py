"""The main job as a new user runs it: a clean checkout, `docs/start/first-hour.md` as written."""

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest
import requests

from apps.common.exchange import exchange
from rankalpha.airflow_api import AirflowApi, AirflowApiError
from tests.support.browser import chromium
from tests.support.channels import Webhook
from tests.support.checkout import copy_checkout
from tests.support.embedded_stack import RunningStack
from tests.support.guide import GIVEN, Guide, missing, steps
from tests.support.needs import needs
from tests.support.page import batches_of, cell, signed_in
from tests.support.served import served
from tests.support.users import make_users
from tests.support.verified import DATASETS, sound
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.story]
FIRST, SECOND = "2026-11-22T06:00:00", "2026-11-22T06:20:00"  # the page's names of its batches
BACK = "better"
REASON = "the news feed is closed today"


@pytest.fixture(scope="module")
def slack():
    """Slack, as the stack sees it."""
    with Webhook() as hook:
        yield hook


@pytest.fixture(scope="module")
def stack(home, slack):
    """What a user has cloned, with a channel for its alerts."""
    clone = copy_checkout(home / "clone")
    channel = {"AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT": slack.connection}
    base = getattr(sys, "_base_executable", sys.executable)
    running = RunningStack(clone / ".rankalpha", checkout=clone, PYTHON=base, **channel)
    yield running
    running.run("make", "clean", "YES=1")


@pytest.fixture(scope="module")
def page(stack):
    """The page of the first hour: each command that it names is run once, in its order."""
    return Guide(stack.checkout / "docs/start/first-hour.md", stack)


@pytest.fixture(scope="module")
def first_up(page):
    """The output of the first `make up`."""
    return page.run("Start everything")


@pytest.fixture(scope="module")
def batch(page, first_up):
    page.names[FIRST] = re.search(r"Batch (\S+) is graded and the frontend is notified", first_up)[1]
    return page.names[FIRST]


def closed_at(moment):
    """The newest session that had closed by then."""
    return exchange("XNYS").last_closed(moment)


def grades(stack):
    return requests.get(f"{stack.urls['api']}/api/v1/grading/grades", timeout=10).json()


def test_the_terminal_shows_each_stage_and_the_top_grades(first_up, stack):
    for task in ("run_ingestion", "run_scorer", "run_ai_analysis", "update_grading", "notify_frontend"):
        assert re.search(rf"{task} +success", first_up)
    assert "Top grades of batch" in first_up
    assert stack.urls["airflow"] in first_up
    assert stack.urls["frontend"] in first_up
    quick = steps((stack.checkout / "README.md").read_text())[0]
    assert quick.command == "make up"
    assert missing([line for line in quick.shown if not line.endswith("running")], first_up) is None


def test_the_batch_is_graded_from_real_prices(stack, batch):
    found = grades(stack)
    assert found["batch"] == batch
    assert len(found["grades"]) == 20
    assert {"A", "F"} <= {row["grade"] for row in found["grades"]} <= set("ABCDF")
    by_rank = [row["composite"] for row in found["grades"]]
    assert by_rank == sorted(by_rank, reverse=True)


def test_every_dataset_has_one_event_of_the_batch_with_its_figures(stack, batch):
    session = closed_at(datetime.fromisoformat(batch).replace(tzinfo=UTC))
    # nothing waits for it, and its process lets all others go first
    wait_for("the evaluation", lambda: stack.events("evaluations"), seconds=300)
    for asset in ("prices", "scores", "sentiment", "grades", "evaluations"):
        (event,) = [event for event in stack.events(asset) if event["partition_key"] == batch]
        assert event["extra"]["rows"] > 0
        assert event["extra"]["as_of"] == str(session)
        assert event["extra"]["checksum"].startswith("sha256:")


def test_the_record_is_shown_with_a_backtest_of_the_sample(stack, batch):
    wait_for("the record", lambda: record(stack).ok, seconds=300)
    assert record(stack).json()["batch"] == batch
    shown = stack.make("evaluate")
    assert f"Evaluation of batch {batch}" in shown
    assert "No returns are in yet" in shown
    assert re.search(r"^momentum +1 +[+-]0\.\d{3}", shown, re.MULTILINE)


def record(stack):
    return requests.get(f"{stack.urls['api']}/api/v1/grading/record", timeout=10)


def test_each_fix_of_airflow_is_on(stack, batch):
    logs = {file.stem: file.read_text() for file in (stack.state / "logs").glob("airflow-*.log")}
    assert {"airflow-scheduler", "airflow-api-server", "airflow-triggerer"} <= set(logs)
    assert [name for name, text in logs.items() if re.search(r"airflow_fixes/\w+\.py is off", text)] == []


def test_a_second_up_is_harmless(stack, batch):
    again = stack.run("make", "up")
    assert again.returncode == 0, again.stdout
    assert "already running" in again.stdout
    assert len(stack.runs("rankalpha_ingestion")) == 1
    assert grades(stack)["batch"] == batch


def test_the_status_shows_airflows_health_the_newest_batch_and_the_addresses(stack, page, batch):
    shown = page.run("Find the batch in Airflow")
    assert re.search(r"^airflow:scheduler +RUNNING", shown, re.MULTILINE)
    rows = dict(re.findall(r"^(\S+(?: \S+)*)  +(\S.*)$", shown.partition("\n\n")[2], re.MULTILINE))
    assert rows["newest batch"].startswith(f"{batch}, graded at ")
    assert rows["ranking"] == f"{stack.urls['frontend']}/"
    assert rows["grading API"] == stack.urls["api"]
    assert rows["operators' page"] == f"{stack.urls['airflow']}/plugin/rankalpha"
    assert re.search(r"^Airflow +healthy$", shown, re.MULTILINE)


def test_what_is_published_is_verified_and_a_changed_file_is_named(stack, batch):
    told = stack.make("verify")
    assert sound(told) == DATASETS
    version = stack.events("scores")[-1]["extra"]["version"]
    file = stack.state / "data" / version["path"] / "scores.parquet"
    whole = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(whole[:-1] + b"?")
    changed = stack.run("make", "verify", f"ARGS=--batch {batch}")
    file.write_bytes(whole)
    assert changed.returncode != 0
    assert f"NOT AS PUBLISHED  {version['path']}" in changed.stdout
    assert f"{file}: its SHA-256 is" in changed.stdout


def test_one_task_can_be_tried_out_by_hand(stack, batch):
    """It starts no batch that anybody sees, and the scheduler starts no task of it."""
    before = stack.runs("rankalpha_ingestion")
    tried = stack.airflow("tasks test rankalpha_ingestion run_ingestion 2025-01-01")
    assert "Batch 2025-01-01T00:00:00" in tried
    assert "graphviz" not in tried
    assert len(stack.events("prices")) == 1
    assert stack.runs("rankalpha_ingestion") == before
    assert not list((stack.state / "logs").rglob("*__airflow_temporary_run_*/task_id=publish_prices"))


def test_a_stage_with_a_wrong_setting_fails_at_once_and_is_alerted(stack, slack, page, batch):
    for _ in range(3):  # keep the file, break it, run the stage
        page.run("Break a stage")
    assert "SENTIMENT_HEADLINES='moon'" in page.run("See the alert")
    (alert,) = slack.about("ACT NOW", "rankalpha_sentiment", "exited with 78", batch)
    assert "SENTIMENT_HEADLINES='moon'" in alert
    assert len(stack.runs("rankalpha_grading")) == 1


def test_it_continues_once_the_setting_is_right_and_its_task_is_cleared(stack, page, batch):
    page.run("Fix it and clear the task")
    stack.clear("rankalpha_sentiment", stack.runs("rankalpha_sentiment")[-1]["dag_run_id"], "run_ai_analysis")
    stack.settle()
    runs = stack.runs("rankalpha_grading")
    assert [(run["partition_key"], run["state"]) for run in runs] == [(batch, "success")] * 2


@pytest.fixture(scope="module")
def blocked(stack, page, batch):
    """The key of a batch for which no headlines came."""
    for _ in range(2):  # keep the headlines, empty them
        page.run("Block a batch")
    stack.trigger("rankalpha_ingestion")
    stack.settle()
    page.names[SECOND] = stack.events("prices")[-1]["partition_key"]
    return page.names[SECOND]


def test_a_broken_batch_is_blocked_and_told_and_the_last_good_one_stays(stack, slack, page, batch, blocked):
    assert blocked > batch
    assert {event["partition_key"] for event in stack.events("sentiment")} == {batch}
    assert stack.events("scores")[-1]["partition_key"] == blocked
    assert grades(stack)["batch"] == batch
    (alert,) = slack.about(f"batch {blocked} is blocked in sentiment by its contract")
    assert "Symbols without headlines is 100 %; expected at most 90 %" in alert
    page.run("Block a batch")  # its health


def test_a_person_publishes_it_anyway_by_the_command_in_the_alert(stack, slack, page, blocked):
    (alert,) = slack.about(f"batch {blocked} is blocked in sentiment by its contract")
    line = next(line.strip() for line in alert.splitlines() if line.startswith("  make "))
    assert page.next_command == GIVEN.sub("", line.replace("why it is right", REASON))
    page.run("Publish it anyway")
    stack.settle()
    (event,) = [event for event in stack.events("sentiment") if event["partition_key"] == blocked]
    assert event["extra"]["forced"] == {"by": "rankalpha", "reason": REASON}
    assert grades(stack)["batch"] == blocked


def test_its_stage_is_re_run_when_the_headlines_are_back(stack, page, blocked):
    for _ in range(2):  # put the headlines back, run the stage
        page.run("Re-run when the data are back")
    assert "forced" not in stack.events("sentiment")[-1]["extra"]
    assert [run["partition_key"] for run in stack.runs("rankalpha_grading")][-2:] == [blocked, blocked]


def test_the_lineage_tells_what_the_grades_were_made_of(stack, page, blocked):
    told = page.run("See what it was made of")
    newest = {name: stack.events(name)[-1]["extra"]["checksum"] for name in ("scores", "sentiment")}
    _, grading = told.split("scores and sentiment → grading → grades  (rankalpha_grading)")
    assert all(checksum[:19] in grading for checksum in newest.values())
    page.run("See that all is well")


def test_a_batch_goes_back_to_an_earlier_version(stack, blocked):
    first, second = (event["extra"]["version"] for event in stack.events("sentiment")[-2:])
    assert first["path"] != second["path"]
    stack.make(
        "publish-version", f"--batch {blocked} --dataset sentiment --version {first['path']} --reason {BACK}"
    )
    stack.settle()
    event = stack.events("sentiment")[-1]["extra"]
    assert (event["version"], event["republished"]["reason"]) == (first, BACK)
    assert stack.events("grades")[-1]["extra"]["version"]["inputs"]["sentiment"]["path"] == first["path"]
    assert first["path"] in stack.make("lineage", f"--batch {blocked}")


def test_no_secret_is_served_of_a_batch_whose_alert_needed_one(stack, slack, blocked):
    run = stack.runs("rankalpha_sentiment", partition_key_prefix_pattern=blocked)[0]["dag_run_id"]
    names = {"dag": "rankalpha_sentiment", "run": run, "task": "run_ai_analysis", "batch": blocked}
    shown = served(stack.api, **names)
    assert "symbols without headlines" in shown, "the check that has blocked it is on record"
    assert slack.address not in shown


def test_a_viewer_may_look_and_not_start_anything(stack, first_up):
    viewer = AirflowApi(stack.api.url, "viewer", make_users(stack.api, "Viewer"))
    assert viewer.get("dags/rankalpha_scoring/dagRuns")["total_entries"] > 0
    with pytest.raises(AirflowApiError, match="403"):
        viewer.post("dags/rankalpha_scoring/dagRuns", {"logical_date": None})


def test_both_pages_open(stack, batch):
    needs("chromium")
    with chromium() as browser, signed_in(browser, stack) as page:
        assert "Done" in cell(batches_of(page), batch, "grading").text_content()
        page.goto(stack.urls["frontend"])
        page.locator("#rows tr").nth(19).wait_for()
        assert "Sample: prices of 201" in page.locator("#note").text_content()


def days_back():
    """How many days back another session was the newest: 2, and more on a weekend."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = (ago for ago in range(2, 8) if closed_at(midnight - timedelta(days=ago)) < closed_at(midnight))
    return next(first)


@pytest.fixture(scope="module")
def filled(stack, batch):
    """The newest batch and the output of a demo that has filled days before it."""
    newest = grades(stack)["batch"]
    return newest, stack.make("demo", f"--days {days_back()}")


def test_the_days_before_are_filled_and_stay_as_they_are(stack, filled):
    newest, text = filled
    count = days_back()
    assert f"Filling {count} days: 0 batches of {count} there already, {count} to make." in text
    assert len(re.findall(rf"^\d of {count}  \S+  graded in ", text, re.MULTILINE)) == count
    assert grades(stack)["batch"] == newest
    published = {event["partition_key"]: event["extra"] for event in stack.events("grades")}
    days = {f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%d}" for ago in range(1, count + 1)}
    assert days <= {key[:10] for key in published}
    for key, extra in published.items():
        assert extra["as_of"] == str(closed_at(datetime.fromisoformat(key).replace(tzinfo=UTC)))
    assert f"{count} batches of {count} there already, 0 to make" in stack.make("demo", f"--days {count}")
    words = re.search(r"Grades of (\w+day's close), .*(current|behind)", stack.run("make", "health").stdout)
    assert words[1] == f"{date.fromisoformat(published[newest]['as_of']):%A}'s close"


def test_the_ranking_page_then_has_changes_a_history_and_a_record_to_show(stack, filled):
    keys = sorted({event["partition_key"] for event in stack.events("grades")})
    wait_for("the record of all days", lambda: record(stack).json()["live"]["gradings"] > 1, seconds=300)
    needs("chromium")
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{stack.urls['frontend']}/?compare={keys[0]}#XOM")
        page.locator("#rows .move .number").first.wait_for()  # so many ranks up or down
        page.locator("#panel .history tbody tr").nth(len(keys) - 1).wait_for()
        page.goto(f"{stack.urls['frontend']}/?view=record")
        page.locator("#record .part.published svg").first.wait_for()


def test_a_busy_port_is_a_clear_error_before_anything_starts(stack, first_up, tmp_path):
    port = stack.env["RANKALPHA_AIRFLOW_PORT"]
    other = RunningStack(tmp_path / "other", checkout=stack.checkout)
    other.env["RANKALPHA_AIRFLOW_PORT"] = port
    done = other.run("make", "up")
    assert done.returncode != 0
    assert f"port already in use: RANKALPHA_AIRFLOW_PORT={port}" in done.stdout
    assert not (tmp_path / "other/postgres").exists()


def test_a_component_that_dies_is_restarted(stack, first_up):
    pid = stack.processes()["airflow:scheduler"]
    psutil.Process(pid).kill()
    wait_for("another scheduler", lambda: stack.processes().get("airflow:scheduler", pid) != pid)


def test_an_unknown_profile_is_a_clear_error_before_anything_starts(stack, first_up, home):
    other = RunningStack(home / "other", checkout=stack.checkout, RANKALPHA_ENV="moon")
    done = other.run("make", "up")
    assert done.returncode != 0
    assert "env/moon/api.env is missing" in done.stdout
    assert not (home / "other/postgres").exists()


def test_a_failed_start_stops_what_it_has_started_and_shows_its_own_error(stack, first_up, home):
    other = RunningStack(home / "failing", checkout=stack.checkout)
    other.env["AIRFLOW__CORE__ASSET_MANAGER_CLASS"] = "moon"
    first = other.run("make", "up")
    assert "set AIRFLOW__CORE__ASSET_MANAGER_CLASS=" in first.stdout
    del other.env["AIRFLOW__CORE__ASSET_MANAGER_CLASS"]
    other.env["RANKALPHA_STAGE_SLOTS"] = "moon"
    second = other.run("make", "up")
    assert first.returncode == second.returncode == 2
    assert "RANKALPHA_STAGE_SLOTS='moon'" in second.stdout
    assert "ASSET_MANAGER" not in second.stdout
    assert not (home / "failing/postgres/postmaster.pid").exists()
    assert other.run("make", "clean", "YES=1").returncode == 0


def test_down_and_clean_leave_nothing_behind(stack, page, first_up):
    """Not even what a scheduler that died just before has left."""
    psutil.Process(stack.processes()["airflow:scheduler"]).kill()
    page.run("Stop it")
    assert not page.ahead, "each command of the page was run"
    assert stack.running() == []
    for command in ("status", "health", "rerun ARGS=--day=2026-11-20", "airflow ARGS='dags list'"):
        told = stack.run("sh", "-c", f"make {command}").stdout
        assert "the stack is down; start it with `make up RANKALPHA_" in told
    cleaned = stack.run("make", "clean", "YES=1")
    assert cleaned.returncode == 0
    assert f"Removing {stack.state}: all batches" in cleaned.stdout
    assert not stack.state.exists()
    untracked = subprocess.run(["ls", "-A"], cwd=stack.checkout, capture_output=True, text=True, check=True)
    assert ".rankalpha" not in json.dumps(untracked.stdout)
