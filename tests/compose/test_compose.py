"""`docker compose up` of a clean checkout: the batch of the start-up, and the first day with it."""

import re

import pytest
import requests

from tests.support.verified import DATASETS, sound
from tests.support.waiting import wait_for

SCORER = "exec python /app/apps/scorer/main.py"
# the first names of each pair are those of cgroup v2, the others of v1
LIMITS = "cpu.max cpu/cpu.cfs_quota_us memory.max memory/memory.limit_in_bytes pids.max pids/pids.max"
LIMITED = (
    f"sh -c 'cd /sys/fs/cgroup; for f in {LIMITS}; do [ ! -e $f ] || echo limit $(cat $f); done; {SCORER}'"
)


def grades(stack):
    return requests.get(f"{stack.urls['api']}/api/v1/grading/grades", timeout=10).json()


def test_every_service_is_healthy_and_what_prepares_the_stack_has_ended_well(stack, engine):
    states = {}
    for state in map(engine.inspect_container, stack.ids()):
        service = state["Config"]["Labels"]["com.docker.compose.service"]
        health = state["State"].get("Health", {}).get("Status")
        states[service] = (state["State"]["Status"], health or state["State"]["ExitCode"])
    assert states == {
        **dict.fromkeys(("airflow-preflight", "airflow-init"), ("exited", 0)),
        "airflow-startup": ("running", 0),
        **dict.fromkeys(
            ("airflow-dag-processor", "airflow-scheduler", "airflow-triggerer", "airflow-webserver"),
            ("running", "healthy"),
        ),
        **dict.fromkeys(("api", "docker-proxy", "frontend", "postgres"), ("running", "healthy")),
    }


def test_the_start_up_batch_is_graded_and_no_container_of_a_stage_is_left(stack, engine, batch):
    found = grades(stack)
    assert (found["batch"], len(found["grades"])) == (batch, 20)
    wait_for("the evaluation", lambda: stack.events("evaluations"), 120)  # nothing waits for it
    wait_for("its container to be removed", lambda: stack.stages(engine, ended=True) == [])
    for asset in ("prices", "scores", "sentiment", "grades", "evaluations"):
        (event,) = stack.events(asset)
        assert event["partition_key"] == batch
        assert event["extra"]["rows"] > 0
        assert event["extra"]["checksum"].startswith("sha256:")
    assert stack.stages(engine, ended=True) == []


def test_what_the_batch_has_published_is_as_it_was_sealed(stack, batch):
    told = stack.exec("airflow-scheduler", "rankalpha", "verify", "--batch", batch)
    assert sound(told) == DATASETS
    versions = {name: stack.events(name)[-1]["extra"]["version"] for name in ("prices", "scores", "grades")}
    for name, read in (("scores", "prices"), ("grades", "scores")):
        assert versions[name]["inputs"][read]["path"] == versions[read]["path"]


def test_the_ranking_page_shows_the_batch(stack, batch, browser):
    page = browser.new_page()
    page.goto(stack.urls["frontend"])
    page.wait_for_selector("#rows tr")
    assert page.locator("#rows .ticker").all_text_contents() == [
        row["symbol"] for row in grades(stack)["grades"]
    ]
    page.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_one_signs_in_to_airflow_at_either_address_and_sees_the_dags(stack, batch, browser, host):
    page, url = browser.new_page(), stack.urls["airflow"].replace("127.0.0.1", host)
    page.goto(f"{url}/dags")
    page.fill("#username", "rankalpha")
    page.fill("#password", "rankalpha")
    page.click("input[type=submit]")
    page.wait_for_selector("text=rankalpha_grading")
    assert page.url.startswith(url)
    page.close()


@pytest.mark.timeout(600)
def test_a_second_up_and_a_restart_start_nothing_anew(stack, batch):
    before, runs = stack.ids(), len(stack.runs("rankalpha_ingestion"))
    stack.up()
    assert stack.ids() == before
    stack.output("restart")
    told = "is graded and the frontend"
    wait_for("a second word on the batch", lambda: stack.logs("airflow-startup").count(told) == 2, 300)
    assert len(stack.runs("rankalpha_ingestion")) == runs


def test_a_stage_alone_leads_to_new_grades_of_the_same_batch(stack, batch):
    stack.trigger("rankalpha_scoring")
    stack.settle()
    runs = stack.runs("rankalpha_grading")
    assert [(run["partition_key"], run["state"]) for run in runs] == [(batch, "success")] * 2


def test_the_limits_of_the_variables_are_the_limits_in_the_container(stack, batch):
    limits = {"SCORER_CPUS": "0.5", "SCORER_MEM": "300m", "SCORER_PIDS": "77"}
    with stack.variables(**limits, SCORER_COMMAND=LIMITED):
        run_id = stack.trigger("rankalpha_scoring", batch)
        stack.settle()
    log = stack.log("rankalpha_scoring", run_id, "run_scorer")
    # CPU time in each period of 100 ms, in microseconds; bytes; processes
    assert re.findall(r"limit (\d+)", log) == ["50000", str(300 * 1024**2), "77"]


def test_the_log_can_be_read_while_the_stage_runs(stack, engine, batch):
    with stack.ticking(engine, batch) as run:
        wait_for("all ticks", lambda: stack.ticks(run) == list("12345"))
        assert [container["State"] for container in stack.stages(engine)] == ["running"]


@pytest.mark.parametrize("what", ["/taskInstances/run_scorer", ""], ids=["task", "run"])
def test_marking_a_task_or_its_run_as_failed_ends_the_container(stack, engine, batch, what):
    with stack.ticking(engine, batch) as run:
        stack.mark_failed(f"dags/rankalpha_scoring/dagRuns/{run}{what}")
        wait_for("the end of the container", lambda: not stack.stages(engine))
