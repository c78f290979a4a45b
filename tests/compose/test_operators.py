"""What operators look at, in the containers: health, lineage, the page and what it reads."""

import json
import re

import pytest
import requests
from playwright.sync_api import expect

from rankalpha.runners.identity import UNTIL
from tests.support.page import batches_of, cell, opened, signed_in


@pytest.fixture(scope="module")
def batch(stack):
    """One of their own: other tests leave failed runs of the start-up's."""
    key = "2026-11-04T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    stack.settle()
    return key


def test_health_is_shown(stack, batch):
    done = stack.compose("exec", "--no-TTY", "airflow-scheduler", "rankalpha", "health", "--json")
    shown = json.loads(done.stdout)
    assert done.returncode == int(not shown["well"]), "other tests have left what needs a person"
    (found,) = [one for one in shown["batches"] if one["batch"] == batch]
    assert {one["state"] for one in found["steps"]} == {"done"}
    ingestion = found["steps"][0]["container"]
    assert (ingestion["image"], ingestion["digest"][:7]) == ("rankalpha_ingestion", "sha256:")
    assert ingestion["memory_limit_bytes"] == 1024**3


def test_airflows_own_commands_have_the_settings_of_the_stack(stack, batch):
    shown = stack.exec("airflow-scheduler", "airflow", "dags", "list")
    assert "rankalpha_grading" in shown
    assert "graphviz" not in shown


def test_a_command_for_the_stack_of_a_checkout_names_what_is_to_be_done_here(stack):
    done = stack.compose("exec", "--no-TTY", "airflow-scheduler", "rankalpha", "status")
    assert (done.returncode, "`docker compose up -d`" in done.stdout) == (2, True), done.stdout


def test_lineage_of_a_batch_names_each_image_by_its_digest(stack, batch):
    shown = stack.exec("airflow-scheduler", "rankalpha", "lineage", "--batch", batch)
    for stage in ("ingestion", "scorer", "sentiment", "evaluation"):
        assert re.search(rf"image rankalpha_{stage}@sha256:[0-9a-f]{{64}}", shown)


def test_a_plan_of_the_same_image_changes_nothing_and_leaves_nothing(stack, engine, batch):
    plan = "rankalpha plan --image scorer=rankalpha_scorer:latest --batches 1 --json 2>/dev/null"
    found = json.loads(stack.exec("airflow-scheduler", "sh", "-c", plan))
    assert (found["summary"]["batches"], found["summary"]["changed"]) == (1, 0)
    assert [used["runs"] for used in found["stages"] if used["who"] == "challenger"] == [1]
    assert stack.exec("api", "find", "/data", "-name", "*-plan") == ""
    assert engine.containers(all=True, filters={"label": UNTIL}) == []


def test_the_page_is_served_and_reads_with_its_readers_rights(stack, batch):
    url = f"{stack.urls['airflow']}/rankalpha"
    assert "frame-ancestors" in requests.get(f"{url}/page/", timeout=10).headers["Content-Security-Policy"]
    assert requests.get(f"{url}/overview", timeout=10).status_code == 401
    assert batch in [one["batch"] for one in stack.api.get("/rankalpha/overview", days=1)["batches"]]
    assert stack.api.get(f"/rankalpha/lineage/{batch}")["batch"] == batch


def test_the_page_shows_the_batch_by_its_stages_and_leads_to_a_stages_log(stack, batch, browser):
    with signed_in(browser, stack) as page:
        frame = batches_of(page)
        for step in ("ingestion", "scoring", "sentiment", "grading", "frontend"):
            expect(cell(frame, batch, step)).to_contain_text("Done")
        grades = frame.locator(f'tr[data-batch="{batch}"] .grades[aria-label]')
        counts = re.findall(r"[ABCDF] (\d+)", grades.get_attribute("aria-label"))
        assert sum(map(int, counts)) == 20
        panel = opened(frame, batch, "ingestion")
        expect(panel.locator(".checks tbody tr").first).to_contain_text("passed")
        image = panel.locator("dt:text-is('Image') + dd")  # before its digest
        expect(image).to_have_text("rankalpha_ingestion")
        expect(panel.locator("code", has_text=re.compile(r"^sha256:[0-9a-f]{64}$")).first).to_be_visible()
        panel.get_by_role("link", name="run_ingestion, attempt 1").first.click()
        # Airflow shows the end of a log first
        log = page.get_by_text(re.compile(r"^Container rankalpha-ingestion-\S+ from image"))
        expect(log).to_be_visible(timeout=30_000)


def test_a_stage_is_re_run_from_the_page(stack, batch, browser):
    with signed_in(browser, stack) as page:
        frame = batches_of(page)
        panel = opened(frame, batch, "sentiment")
        panel.get_by_label("Publish, so that").uncheck()
        panel.get_by_role("button", name="Re-run from here").click()
        panel.get_by_role("button", name="Start the run").click()
        expect(frame.locator("#toast")).to_contain_text("of rankalpha_sentiment has started")
        stack.settle()
    run = stack.runs("rankalpha_sentiment", partition_key_prefix_pattern=batch)[-1]
    assert (run["state"], run["note"]) == ("success", "re-run from sentiment, publishing nothing")


def test_there_are_no_metrics_without_a_token(stack):
    assert requests.get(f"{stack.urls['airflow']}/rankalpha/metrics", timeout=10).status_code == 404
