"""The operators' page in Airflow's own frame: what it shows, to whom, and what a person does with it."""

import json

import pytest
from playwright.sync_api import expect

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from tests.support.browser import chromium
from tests.support.contrast import FAINT
from tests.support.needs import needs
from tests.support.page import batches_of, cell, opened, signed_in
from tests.support.services import GRADING
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.story,  # in the end the batch is fixed that the others look at
    pytest.mark.flaky(reason="Chromium drops what it loads when networks of the machine come or go"),
]
GRADED, WARNED, BLOCKED = "2022-02-01T06:00:00", "2022-02-02T06:00:00", "2022-02-03T06:00:00"
REASON = "One <b>market</b> was closed"


@pytest.fixture(scope="module")
def batches(lane):
    """A batch that is graded, one with a warning, and one whose scores are blocked."""
    answer = {"batch": GRADED, "market": lane.market.name, "graded": 9, "as_of": GRADED[:10]}
    answer["distribution"] = {"A": 1, "B": 2, "C": 3, "D": 2, "F": 1}
    with lane.services.answering(GRADING, json.dumps(answer)):
        lane.ingest(GRADED)
    with lane.fault("ingestion", '{"details": {"appearances": 0}}'):
        lane.ingest(WARNED)
    with lane.fault("scorer", "no rows"):
        lane.ingest(BLOCKED)


@pytest.fixture(scope="module")
def browser():
    needs("chromium")
    with chromium() as opened:
        yield opened


def test_it_shows_each_batch_by_its_stages(browser, lane, batches):
    with signed_in(browser, lane.stack) as page:
        frame = batches_of(page, lane.market.name)
        assert page.url == f"{lane.stack.urls['airflow']}/plugin/rankalpha/rankalpha/page/"
        for step in ("ingestion", "scoring", "sentiment", "grading", "evaluation", "frontend"):
            assert "Done" in cell(frame, GRADED, step).text_content()
        grades = frame.locator(f'tr[data-batch="{GRADED}"] .grades')
        assert grades.get_attribute("aria-label") == "Grades: A 1, B 2, C 3, D 2, F 1"
        assert "1 warning" in cell(frame, WARNED, "ingestion").text_content()
        assert "Blocked" in cell(frame, BLOCKED, "scoring").text_content()
        assert "1 check failed" in cell(frame, BLOCKED, "scoring").text_content()
        assert "Waiting" in cell(frame, BLOCKED, "grading").text_content()
        blocked = f"batch {BLOCKED} is blocked in {lane.asset('scores')} by its contract"
        assert frame.locator(".incident", has_text=blocked).count() == 1
        names = frame.locator("#datasets .dataset h2 > :first-child").all_text_contents()
        assert names == [step.writes for step in lane.pipeline.steps]
        trend = frame.locator("th.column-scoring svg")
        assert "Scoring: the newest took" in trend.get_attribute("aria-label").capitalize()
        assert frame.locator("#components .good").count() == 3


def test_behind_a_cell_are_its_checks_its_log_and_where_it_came_from(browser, lane, batches):
    with signed_in(browser, lane.stack) as page:
        panel = opened(batches_of(page, lane.market.name), BLOCKED, "scoring")
        first = panel.locator(".checks tbody tr").first
        assert [text.strip() for text in first.locator("th, td").all_text_contents()] == [
            "rows",
            "0",
            "at least 1",
            "blocks",
        ]
        assert f"batch {BLOCKED}, published" in panel.text_content()
        panel.get_by_role("link", name="publish_scores, attempt 1").click()
        page.wait_for_url(f"**/dags/{lane.dag('scoring')}/runs/*/tasks/publish_scores?try_number=1")
        page.get_by_text(f"is not published in {lane.asset('scores')}").first.wait_for()
        page.go_back()
        page.frame_locator("iframe").locator("#datasets .dataset").first.wait_for()


def test_an_address_leads_to_a_cell(browser, lane, batches):
    with signed_in(browser, lane.stack) as page:
        page.goto(
            f"{lane.stack.urls['airflow']}/plugin/rankalpha/rankalpha/page/#{lane.market.name}/{BLOCKED}/scoring"
        )
        title = page.frame_locator("iframe[title=RankAlpha]").locator("dialog h2")
        title.wait_for()
        assert title.text_content() == "scoring"


def test_graph_filter_numbers_and_links_lead_to_all_parts_and_an_address_is_copied(browser, lane, batches):
    with signed_in(browser, lane.stack, permissions=["clipboard-read", "clipboard-write"]) as page:
        frame = batches_of(page, lane.market.name)
        states = {"ingestion": "Done", "scoring": "Blocked", "sentiment": "Done", "grading": "Waiting"}
        for step, state in states.items():
            expect(frame.locator(f"#graph .node[data-step={step}]")).to_contain_text(state)
        for choice, count in (("Needs a person", 1), ("Lost", 0), ("All batches", 3)):
            frame.locator("#shown").select_option(choice)
            expect(frame.locator("#rows tr")).to_have_count(count)
        grades = frame.locator(f'tr[data-batch="{GRADED}"] .grades i')
        assert grades.all_text_contents() == ["A1", "B2", "C3", "D2", "F1"]
        ranking = frame.get_by_role("link", name="Ranking").get_attribute("href")
        assert ranking == f"{lane.stack.urls['frontend']}/?market={lane.market.name}"
        dag = frame.locator("th.column-scoring a").get_attribute("href")
        assert dag.endswith(f"/dags/{lane.dag('scoring')}")
        frame.locator("#graph .node[data-step=grading]").click()
        frame.get_by_role("button", name="Copy link").click()
        expect(frame.get_by_role("button", name="Copied")).to_be_visible()
        address = page.evaluate("navigator.clipboard.readText()")
        frame.locator("dialog").press("Escape")
        frame.locator("#datasets").get_by_role("link", name=lane.asset("scores"), exact=True).click()
        page.wait_for_url("**/assets/*")
        page.goto(address)
        expect(page.frame_locator("iframe[title=RankAlpha]").locator("dialog h2")).to_have_text("grading")


def test_a_stage_is_re_run_and_publishes_only_when_asked_to(browser, lane, batches):
    def runs():
        return lane.runs_of("sentiment", GRADED)

    events, graded = len(lane.events("sentiment")), lane.services.asked(GRADING).count(GRADED)
    before = len(runs())
    with signed_in(browser, lane.stack) as page:
        frame = batches_of(page, lane.market.name)
        panel = opened(frame, GRADED, "sentiment")
        panel.get_by_role("button", name="Re-run from here").click()
        panel.get_by_role("button", name="Cancel").click()
        assert len(runs()) == before
        panel.get_by_label("Publish, so that").uncheck()
        panel.get_by_role("button", name="Re-run from here").click()
        panel.get_by_role("button", name="Start the run").click()
        frame.locator("#toast", has_text=f"of {lane.dag('sentiment')} has started").wait_for()
        wait_for("the re-run", lambda: len(runs()) == before + 1)
        lane.settle()
        assert len(lane.events("sentiment")) == events
        assert runs()[-1]["note"] == "re-run from sentiment, publishing nothing"
        assert runs()[-1]["triggering_user_name"] == "rankalpha"
        panel = opened(batches_of(page, lane.market.name), GRADED, "sentiment")
        panel.get_by_role("button", name="Re-run from here").click()
        panel.get_by_role("button", name="Start the run").click()
        wait_for("the second re-run", lambda: len(runs()) == before + 2)
        lane.settle()
    assert len(lane.events("sentiment")) == events + 1
    assert lane.services.asked(GRADING).count(GRADED) == graded + 1


def test_a_viewer_sees_all_and_is_offered_nothing(browser, lane, batches, password):
    with signed_in(browser, lane.stack, "viewer", password) as page:
        panel = opened(batches_of(page, lane.market.name), BLOCKED, "scoring")
        assert panel.locator(".checks tbody tr").count() > 3
        assert panel.locator("button.act, textarea, input").count() == 0
        needed = f"You need the right to trigger {lane.dag('scoring')}"
        assert needed in panel.text_content()
    api = AirflowApi(lane.api.url, "viewer", password)
    with pytest.raises(AirflowApiError, match="403"):
        api.post(f"dags/{lane.dag('scoring')}/dagRuns", {"logical_date": None, "partition_key": GRADED})


def test_a_user_may_re_run_but_not_publish_what_is_blocked(browser, lane, batches, password):
    with signed_in(browser, lane.stack, "user", password) as page:
        panel = opened(batches_of(page, lane.market.name), BLOCKED, "scoring")
        assert panel.locator("button.act").all_text_contents() == ["Re-run from here"]
        assert "You need the right to write XComs" in panel.text_content()


def test_it_is_dark_when_airflow_is_and_fits_a_phone(browser, lane, batches):
    with signed_in(browser, lane.stack, color_scheme="dark") as page:
        frame = batches_of(page, lane.market.name)
        root = frame.locator(":root")
        assert root.get_attribute("data-theme") == "dark"
        assert root.evaluate(FAINT) == []
        page.evaluate("document.documentElement.classList.replace('dark', 'light')")  # what its switch does
        assert root.get_attribute("data-theme") == "light"
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            inner = root.evaluate("root => [root.scrollWidth, root.clientWidth]")
            assert inner[0] <= inner[1] < width
            assert cell(frame, GRADED, "frontend").is_visible()


def test_without_a_sign_in_it_says_so_and_leads_there(browser, lane, batches):
    page = browser.new_context().new_page()
    page.goto(f"{lane.stack.urls['airflow']}/rankalpha/page/")
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_selector("#username")
    page.context.close()


def test_what_is_blocked_is_published_anyway_with_a_reason_on_record(browser, lane, batches):
    with signed_in(browser, lane.stack) as page:
        frame = batches_of(page, lane.market.name)
        panel = opened(frame, BLOCKED, "scoring")
        panel.get_by_role("button", name="Publish anyway").click()
        panel.get_by_text("Enter a reason").wait_for()
        panel.locator("textarea").fill(REASON)
        panel.get_by_role("button", name="Publish anyway").click()
        frame.locator("#toast", has_text="runs again and publishes").wait_for()
        wait_for("the scores", lambda: lane.published("scores", BLOCKED))
        lane.settle()
        assert lane.events("scores")[-1]["extra"]["forced"] == {"by": "rankalpha", "reason": REASON}
        assert BLOCKED in lane.services.asked(GRADING)
        cell(frame, BLOCKED, "scoring").get_by_text("published anyway").wait_for()  # by itself
        assert REASON in opened(frame, BLOCKED, "scoring").text_content()
