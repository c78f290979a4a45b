"""The operators' page in a real browser, in states that a test writes; tests/running has it in Airflow."""

import pytest
from playwright.sync_api import expect

from tests.support.contrast import FAINT
from tests.unit.rankalpha.support.page_server import (
    KEY,
    PREFIX,
    STATES,
    PageServer,
    batch,
    check,
    held,
    overview,
    page_server,
    step,
)

HOSTILE = "<img src=x onerror=alert(1)>"
RICH = overview(
    batch(KEY, *STATES[:5]),
    batch("2026-11-21T06:00:00", *STATES[5:]),
    {
        **batch("2025-11-20T06:00:00"),
        "steps": [
            step("ingestion", checks=[check("appearances", "warn", passed=False)]),
            step("scoring", forced={"by": "ann", "reason": "known"}, checks=[check("a", passed=False)]),
            *(step(name) for name in ("sentiment", "grading", "frontend")),
        ],
    },
)


@pytest.fixture
def server():
    with page_server() as found:
        found.answers["/rankalpha/overview"] = (200, RICH)
        yield found


@pytest.fixture
def page(browser, server: PageServer):
    opened = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (opened.complaints.append("a dialog"), dialog.dismiss()))
    yield opened
    assert opened.complaints == []
    opened.context.close()


def shown(page, server: PageServer):
    page.goto(server.url)
    page.wait_for_selector("#rows tr")
    return page


def test_each_state_has_a_word_and_a_sign_of_its_own(page, server) -> None:
    marks = shown(page, server).locator("#rows tr:nth-child(-n+2) .mark")
    words = marks.all_text_contents()
    signs = marks.locator("svg").evaluate_all("all => all.map((one) => one.innerHTML)")
    assert len(set(words)) == len(set(signs)) == len(STATES)
    assert words[0] == "Done"


def test_checks_stand_on_the_cells(page, server) -> None:
    cells = shown(page, server).locator("#rows tr").nth(2).locator(".cell")
    assert cells.nth(0).locator(".note").all_text_contents() == ["1 warning"]
    assert cells.nth(1).locator(".note").all_text_contents() == ["published anyway"]
    assert "4.2 s · 1,234 rows" in cells.nth(2).text_content()


def test_a_batch_names_its_session_and_what_was_carried_over(page, server) -> None:
    carried = batch(KEY)
    news = "no new session; grades of Sat 21 Nov 06:00 carried over"
    carried |= {"carried_over_from": "2026-11-21T06:00:00", "news": news}
    carried["steps"][1] = step("scoring", reused_from="2026-11-21T06:00:00", container=None)
    session = {**carried["session"], "text": "Friday's close, 20 Nov, current", "news": news}
    server.answers["/rankalpha/overview"] = (200, overview(carried, session=session))
    row = shown(page, server).locator("#rows tr").first
    assert row.locator(".session").text_content() == "Friday's close, 20 Nov"
    assert row.locator(".note").all_text_contents() == ["carried over"]
    assert row.locator(".news").text_content() == news
    assert f"Grades of Friday's close, 20 Nov, current ({news})." in page.locator("#summary").text_content()
    row.locator(".cell").nth(1).click()
    assert (
        "batch 2026-11-21T06:00:00, with the same inputs"
        in page.locator("dialog .facts").first.text_content()
    )


def test_a_dataset_shows_its_session_and_since_when_it_is_stale(page, server) -> None:
    card = shown(page, server).locator("#datasets .dataset")
    assert "Friday's close, 20 Nov, stale for 10 min" in card.text_content()


def test_it_asks_nobody_but_its_own_server_below_the_prefix(page, server) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    shown(page, server)
    page.locator(".is-lost").click()
    page.wait_for_selector("text=The lineage cannot be shown")  # this server has no lineage
    assert len(addresses) > 10
    assert all(one.startswith(server.root) for one in addresses), addresses
    assert f"{PREFIX}/rankalpha/lineage/2026-11-21T06:00:00" in server.asked
    run = page.locator("dialog .facts a").first.get_attribute("href")
    assert run == f"{server.root}/dags/rankalpha_grading/runs/r%2B1%2F%C3%BC"


def test_what_it_shows_stays_text(page, server) -> None:
    one = batch(KEY)
    checks = [check(HOSTILE, passed=False, value=HOSTILE)]
    word = {"by": HOSTILE, "reason": HOSTILE}
    one["steps"][0] = step("ingestion", run_id=HOSTILE, checks=checks, forced=word)
    incidents = [{"key": "k", "subject": HOSTILE, "text": HOSTILE}]
    server.answers["/rankalpha/overview"] = (200, overview({**one, "where": HOSTILE}, incidents=incidents))
    shown(page, server).locator(".cell").first.click()
    assert page.locator("dialog .checks th").nth(4).text_content() == HOSTILE
    assert page.locator("img, script[src=x]").count() == 0


def blocked_batch():
    """A batch whose scores were published before, and are blocked now."""
    one = batch(KEY)
    unknown = check("symbols", value="no earlier batch")
    one["steps"][1] = step(
        "scoring", "blocked", held=held(checks=[check("rows", passed=False, value=0), unknown])
    )
    return one


def test_what_is_blocked_is_not_shown_with_what_was_published_before(page, server) -> None:
    server.answers["/rankalpha/overview"] = (200, overview(blocked_batch()))
    cell = shown(page, server).locator(".cell").nth(1)
    assert cell.locator(".mark b").text_content() == "Blocked"
    assert cell.locator(".note").all_text_contents() == ["1 check failed"]
    cell.click()
    facts = page.locator("dialog .facts").first.text_content()
    assert "Rows0" in facts
    assert "1,234" not in page.locator("dialog").text_content()
    outcomes = page.locator("dialog .checks tbody .mark b").all_text_contents()
    assert outcomes == ["blocks", "not checked"], "as in the log"


def test_what_was_published_before_a_run_failed_is_said_to_be_so(page, server) -> None:
    one = batch(KEY, "done", "failed", "done", "done", "done")
    server.answers["/rankalpha/overview"] = (200, overview(one))
    shown(page, server).locator(".cell").nth(1).click()
    assert "Published before" in page.locator("dialog .facts").first.text_content()


def test_a_task_that_was_never_queued_has_no_log(page, server) -> None:
    times = {"started": None, "ended": None}
    tries = [{"task_id": "run_scorer", "try_number": number, "state": None, **times} for number in (1, 0)]
    run = {"run_id": "r1", "state": "queued", "run_type": "manual", "user": None, "note": None, **times}
    of_step = {"step": "scoring", "dag_id": "rankalpha_scoring", "inputs": [], "output": None}
    lineage = {"batch": KEY, "steps": [{**of_step, "runs": [{**run, "tries": tries}]}]}
    server.answers[f"/rankalpha/lineage/{KEY}"] = (200, lineage)
    shown(page, server).locator(".cell").nth(1).click()
    attempts = page.locator("dialog .tries li")
    expect(attempts).to_have_text(["run_scorer, attempt 1not started", "run_scorernot started"])
    assert [one.locator("a").count() for one in attempts.all()] == [1, 0]


@pytest.mark.parametrize("base", ["docs/operate/runbook.md", "https://wiki.example/runbook"])
def test_an_incident_leads_to_the_runbook(page, server, base) -> None:
    text = f"Next: fix it\nRunbook: {base}#publication-blocked"
    found = overview(batch(KEY), incidents=[{"key": "k", "subject": "it is wrong", "text": text}])
    server.answers["/rankalpha/overview"] = (200, found)
    shown(page, server)
    assert text in page.locator(".incident p").text_content()
    links = page.locator(".incident a").evaluate_all("all => all.map((one) => one.href)")
    assert links == ([f"{base}#publication-blocked"] if base.startswith("https") else [])


def test_a_stage_shows_what_its_language_model_has_cost(page, server) -> None:
    one = batch(KEY)
    one["steps"][2] = step("sentiment", spent={"tokens": 4400, "dollars": 0.012})
    server.answers["/rankalpha/overview"] = (200, overview(one))
    shown(page, server).locator(".cell").nth(2).click()
    assert "4,400 tokens, $0.0120" in page.locator("dialog .facts").first.text_content()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(page, server, theme) -> None:
    page.emulate_media(color_scheme=theme)
    shown(page, server)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate(FAINT) == []
    page.locator("#rows tr").nth(2).locator(".cell").nth(1).click()
    page.wait_for_selector("text=The lineage cannot be shown")
    assert page.locator("dialog .checks tr").count() == 2
    assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("width", [248, 390, 600, 860, 861, 1100, 1600])
def test_it_fits_every_width(page, server, width) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    shown(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#rows .cell").first.click()
    assert page.evaluate("document.querySelector('dialog .scroll').scrollWidth") <= width


def test_it_is_used_with_the_keyboard_alone(page, server) -> None:
    shown(page, server)
    passed = []
    while (focused := page.evaluate("document.activeElement.dataset.id ?? null")) != f"{KEY}/ingestion":
        passed.append(focused)
        assert len(passed) < 30, passed
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("dialog h2").text_content() == "ingestion"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="hidden")
    assert page.evaluate("document.activeElement.dataset.id") == f"{KEY}/ingestion"


def test_a_refresh_draws_only_what_has_changed(page, server) -> None:
    page.clock.install()
    shown(page, server)
    page.evaluate("for (const row of document.querySelectorAll('#rows tr')) row.old = true")
    page.locator("#rows .cell").nth(8).focus()
    changed = overview(*RICH["batches"][:1], batch("2026-11-21T06:00:00"), RICH["batches"][2])
    server.answers["/rankalpha/overview"] = (200, {**changed, "now": "2026-11-22T06:30:10+00:00"})
    page.clock.run_for(10_100)
    page.wait_for_selector("text=As of 06:30:10 UTC")
    kept = page.locator("#rows tr").evaluate_all("rows => rows.map((row) => Boolean(row.old))")
    assert kept == [False, False, True]  # what runs has a time that goes on
    assert page.evaluate("document.activeElement.dataset.id") == "2026-11-21T06:00:00/sentiment"


def test_no_batch_yet_is_shown(page, server) -> None:
    server.answers["/rankalpha/overview"] = (200, overview(incidents=[]))
    page.goto(server.url)
    page.wait_for_selector("text=No batch yet")
    assert page.locator("text=Nothing needs a person").is_visible()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (401, "You are not signed in"),
        (403, "Your role may not see this"),
        (502, "The batches cannot be loaded"),
    ],
)
def test_what_is_refused_is_shown_with_the_next_step(page, server, status, title) -> None:
    server.answers["/rankalpha/overview"] = (status, {"detail": "because"})
    page.goto(server.url)
    page.wait_for_selector(f"text={title}")
    if status == 401:
        sign_in = page.get_by_role("link", name="Sign in")
        assert sign_in.get_attribute("href") == f"{server.root}/api/v2/auth/login"
    else:
        assert page.locator("text=because").is_visible()
        server.answers["/rankalpha/overview"] = (200, RICH)
        page.click("text=Try again")
        page.wait_for_selector("#rows tr")


def test_what_was_loaded_stays_when_airflow_goes_away(page, server) -> None:
    page.clock.install()
    shown(page, server)
    server.answers["/rankalpha/overview"] = (502, {"detail": "it is away"})
    page.clock.run_for(10_100)
    page.wait_for_selector("#banner:not([hidden])")
    assert "it is away" in page.locator("#banner").text_content()
    assert "As of 06:30:00 UTC" in page.locator("#live").text_content()
    assert page.locator("#rows tr").count() == 3


def test_with_one_market_none_is_named(page, server) -> None:
    assert not shown(page, server).locator("#market").is_visible()
    page.locator("#rows .cell").first.click()
    assert page.evaluate("location.hash") == f"#{KEY}/ingestion"
    assert page.locator("dialog .over").text_content() == f"Batch {KEY}"
    assert "market" not in " ".join(server.queries)


def test_another_market_is_chosen_and_stays_in_the_address(page, server) -> None:
    server.answers["/rankalpha/overview"] = (200, {**RICH, "markets": ["default", "nyse"]})
    shown(page, server)
    starts = {"name": "nyse", "starts": "21:30 UTC", "ingestion": "rankalpha_nyse_ingestion"}
    one = overview(batch(KEY), markets=["default", "nyse"], market=starts)
    server.answers["/rankalpha/overview"] = (200, one)
    page.locator("#market").select_option("nyse")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert page.evaluate("location.hash") == "#nyse"
    page.locator("#rows .cell").first.click()
    assert page.evaluate("location.hash") == f"#nyse/{KEY}/ingestion"
    assert page.locator("dialog .over").text_content() == f"Batch {KEY} of nyse"
    page.wait_for_selector("text=The lineage cannot be shown")
    assert server.queries[-1] == "market=nyse"
    page.reload()
    page.wait_for_selector("dialog h2")
    assert page.locator("#market").input_value() == "nyse"
    assert "days=3&market=nyse" in server.queries


def test_a_market_without_a_batch_says_when_it_starts(page, server) -> None:
    starts = {"name": "nyse", "starts": "21:30 UTC", "ingestion": "rankalpha_nyse_ingestion"}
    server.answers["/rankalpha/overview"] = (200, overview(market=starts, markets=["default", "nyse"]))
    page.goto(f"{server.url}#nyse")
    page.wait_for_selector(
        "text=The next one starts at 21:30 UTC, or when rankalpha_nyse_ingestion is triggered."
    )


NO_MARKET = {"reason": "There is no market 'gone'. It may have been removed.", "markets": ["default", "nyse"]}


@pytest.mark.parametrize("place", ["#gone", "#gone/", f"#gone/{KEY}/scoring"])
def test_a_market_that_does_not_exist_is_named_and_another_one_offered(page, server, place) -> None:
    server.answers["/rankalpha/overview"] = (404, {"detail": NO_MARKET})
    page.goto(f"{server.url}{place}")
    page.wait_for_selector("text=There is no such market")
    assert page.locator("#state-text").text_content() == (
        "There is no market 'gone'. It may have been removed. Known markets: default, nyse."
    )
    assert "market=gone" in server.queries[-1]
    server.answers["/rankalpha/overview"] = (200, {**RICH, "markets": ["default", "nyse"]})
    page.get_by_role("button", name="Show default").click()
    page.wait_for_selector("#rows tr")
    assert "days=3&market=default" in server.queries
    assert not page.locator("#state").is_visible()
    assert page.evaluate("location.hash") == "#default"


def test_a_market_that_is_removed_while_it_is_shown_is_shown_no_longer(page, server) -> None:
    page.clock.install()
    shown(page, server)
    server.answers["/rankalpha/overview"] = (404, {"detail": NO_MARKET})
    page.clock.run_for(10_100)
    page.wait_for_selector("text=There is no such market")
    assert not page.locator("#content").is_visible()


def test_another_address_in_the_same_tab_leads_to_another_market_and_cell(page, server) -> None:
    both = {"markets": ["default", "nyse"]}
    server.answers["/rankalpha/overview"] = (200, {**RICH, **both})
    shown(page, server)
    page.locator("#rows .cell").first.click()
    starts = {"name": "nyse", "starts": "21:30 UTC", "ingestion": "rankalpha_nyse_ingestion"}
    server.answers["/rankalpha/overview"] = (200, overview(batch(KEY), market=starts, **both))
    page.evaluate(f"location.hash = '#nyse/{KEY}/sentiment'")
    expect(page.locator("dialog h2")).to_have_text("sentiment")
    assert page.locator("dialog .over").text_content() == f"Batch {KEY} of nyse"
    page.evaluate("location.hash = '#nyse'")
    page.wait_for_selector("dialog", state="hidden")
    assert page.evaluate("location.hash") == "#nyse"


def test_an_address_that_cannot_be_decoded_shows_the_page_all_the_same(page, server) -> None:
    page.goto(f"{server.url}#%E0%A4%A")
    page.wait_for_selector("#rows tr")


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [(" ", "Enter a reason."), ("a\0b", "cannot be stored"), ("\ud83d", "cannot be stored")],
)
def test_a_reason_that_the_record_cannot_hold_is_refused_before_anything_is_sent(
    page, server, typed, refusal
) -> None:
    server.answers["/rankalpha/overview"] = (200, overview(blocked_batch()))
    shown(page, server).locator(".cell").nth(1).click()
    asked = len(server.asked)
    page.locator("textarea").evaluate("(field, text) => (field.value = text)", typed)
    page.get_by_role("button", name="Publish anyway").click()
    expect(page.locator(".form.danger .refusal, .form .refusal").first).to_contain_text(refusal)
    assert [path for path in server.asked[asked:] if "publish-anyway" in path] == []


def test_publishing_anyway_asks_our_own_route_once(page, server) -> None:
    server.answers |= {
        "/rankalpha/overview": (200, overview(blocked_batch())),
        "/rankalpha/publish-anyway": (200, {"dag_run_id": "r"}),
    }
    shown(page, server).locator(".cell").nth(1).click()
    page.locator("textarea").fill(" it is right ")
    with page.expect_request("**/rankalpha/publish-anyway") as sent:
        page.get_by_role("button", name="Publish anyway").click()
    expect(page.locator("#toast")).to_contain_text("publish_scores of rankalpha_scoring runs again")
    body = {"batch": KEY, "dataset": "scores", "reason": "it is right", "market": None}
    assert (sent.value.method, sent.value.post_data_json) == ("POST", body)


def test_a_refusal_to_publish_anyway_is_shown(page, server) -> None:
    server.answers |= {
        "/rankalpha/overview": (200, overview(blocked_batch())),
        "/rankalpha/publish-anyway": (409, {"detail": "rankalpha_scoring is paused"}),
    }
    shown(page, server).locator(".cell").nth(1).click()
    page.locator("textarea").fill("it is right")
    page.get_by_role("button", name="Publish anyway").click()
    expect(page.locator(".refusal").first).to_contain_text("rankalpha_scoring is paused")
