"""What a person does on the operators' page: graph, filter, links, comparison, confirmation."""

from typing import get_args

import pytest
from playwright.sync_api import expect

from rankalpha.health.standing import State
from tests.support.accessibility import stumbles
from tests.unit.rankalpha.support.page_server import (
    KEY,
    STATES,
    PageServer,
    batch,
    check,
    overview,
    page_server,
    step,
)

OTHER = "2026-11-21T06:00:00"
BATCHES = (batch(KEY, "done", "failed", "running", "waiting", "waiting", aside="waiting"), batch(OTHER))
VARIANT = {  # its steps, and those that they read from
    "challenger_scoring": ["ingestion"],
    "challenger_grading": ["challenger_scoring", "sentiment"],
    "challenger_comparison": ["grading", "challenger_grading"],
}


@pytest.fixture(scope="module")
def serving():
    with page_server() as found:
        yield found


@pytest.fixture
def server(serving: PageServer):
    serving.answers = {"/rankalpha/overview": (200, overview(*BATCHES))}
    serving.asked.clear()
    return serving


def shown(page, server, place=""):
    page.goto(f"{server.url}{place}")
    page.wait_for_selector("#rows tr")
    return page


def output(version="prices/2026-11-22T06:00:00/a", rows=1234, checks=()):
    made = {"dataset": "prices", "published": f"{KEY}+00:00", "run_id": "r", "rows": rows, "symbols": 20}
    made |= {"as_of": "2026-11-20", "checksum": "0" * 8, "checks": list(checks), "container": None}
    made |= {"forced": None, "republished": None, "reused_from": None, "carried_over_from": None}
    return made | {"session": None, "version": {"path": version, "sha256": "f" * 64}}


def lineage(key, output):
    of_step = {"step": "ingestion", "dag_id": "rankalpha_ingestion", "runs": [], "inputs": []}
    return {"batch": key, "steps": [{**of_step, "output": output}]}


def test_the_graph_of_the_newest_batch_has_a_node_and_a_line_for_each_stage(page, server) -> None:
    nodes = shown(page, server).locator("#graph .node")
    words = [text.split(", after")[0] for text in nodes.all_text_contents()]
    assert words == [
        "ingestionDone",
        "scoringFailed",
        "sentimentRunning",
        "gradingWaiting",
        "evaluationWaiting",
        "frontendWaiting",
    ]
    assert "after scoring and sentiment" in nodes.nth(3).text_content()
    assert page.locator("#graph .edges path").count() == 6  # to both sides, two back, to record and page
    places = nodes.evaluate_all("all => all.map((one) => one.getBoundingClientRect().x)")
    assert places[0] < places[1] == places[2] < places[3] < places[4] == places[5]
    nodes.nth(1).click()
    expect(page.locator("dialog h2")).to_have_text("scoring")


def test_the_names_of_a_variants_steps_are_words_and_whole(page, server) -> None:
    steps = [*BATCHES[0]["steps"], *(step(name, needs=needs) for name, needs in VARIANT.items())]
    server.answers["/rankalpha/overview"] = (200, overview({**BATCHES[0], "steps": steps}))
    page.set_viewport_size({"width": 1280, "height": 800})
    opened = shown(page, server)
    for names in (opened.locator("#graph .node .stage"), opened.locator("thead .stage")):
        words = [text for text in names.all_text_contents() if text.startswith("challenger")]
        assert words == ["challenger scoring", "challenger grading", "challenger comparison"]
        assert names.evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth).length") == 0
    opened.locator("#graph .node").last.click()
    expect(page.locator("dialog h2")).to_have_text("challenger comparison")


def test_the_graph_of_a_batch_leads_to_each_of_its_stages(page, server) -> None:
    shown(page, server, f"#{OTHER}")
    page.locator("dialog .node[data-step=grading]").click()
    expect(page.locator("dialog h2")).to_have_text("grading")
    assert page.evaluate("location.hash") == f"#{OTHER}/grading"


@pytest.mark.parametrize(
    ("choice", "keys"),
    [("Not complete", [KEY]), ("Needs a person", [KEY]), ("Waiting", [KEY]), ("All batches", [KEY, OTHER])],
)
def test_the_table_is_filtered_by_state(page, server, choice, keys) -> None:
    shown(page, server).locator("#shown").select_option(choice)
    rows = page.locator("#rows tr")
    assert rows.evaluate_all("all => all.map((one) => one.dataset.batch)") == keys


@pytest.mark.parametrize(("state", "rows"), [("paused", 1), ("failed", 2)])
def test_who_pauses_the_evaluation_does_without_it(page, server, state, rows) -> None:
    server.answers["/rankalpha/overview"] = (200, overview(BATCHES[0], batch(OTHER, aside=state)))
    shown(page, server).locator("#shown").select_option("Needs a person")
    expect(page.locator("#rows tr")).to_have_count(rows)


def test_a_filter_that_lets_nothing_through_says_so(page, server) -> None:
    shown(page, server).locator("#shown").select_option("Lost")
    expect(page.locator("#nothing")).to_have_text("None of these batches: Lost.")
    page.locator("#shown").select_option("")
    expect(page.locator("#rows tr")).to_have_count(2)


def test_every_state_can_be_chosen(page, server) -> None:
    values = shown(page, server).locator("#shown option").evaluate_all("all => all.map((one) => one.value)")
    assert set(values) == {"", "open", "person", *get_args(State)} - {"done"}


def test_the_grades_have_their_numbers(page, server) -> None:
    parts = shown(page, server).locator("#rows tr").first.locator(".grades i")
    assert parts.all_text_contents() == ["A3", "B5", "C6", "D4", "F2"]


def test_it_links_to_the_ranking_the_datasets_and_the_dags(page, server) -> None:
    shown(page, server)
    host = "http://127.0.0.1:3000/"
    assert page.get_by_role("link", name="Ranking").get_attribute("href") == host
    dataset = page.locator("#datasets a").get_attribute("href")
    assert dataset == f"{server.root}/assets/3"
    head = page.locator("th.column-scoring a").get_attribute("href")
    assert head == f"{server.root}/dags/rankalpha_scoring"
    page.locator(f'[data-id="{KEY}"]').click()
    ranking = page.get_by_role("link", name="Ranking of this batch").get_attribute("href")
    assert ranking == f"{host}?batch={KEY}"


def test_without_an_address_of_the_ranking_page_nothing_leads_there(page, server) -> None:
    server.answers["/rankalpha/overview"] = (200, overview(*BATCHES, ranking=""))
    shown(page, server).locator(f'[data-id="{KEY}"]').click()
    assert page.get_by_role("link", name="Ranking").count() == 0


def test_the_address_of_a_cell_is_copied(page, server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown(page, server).locator(f'[data-id="{KEY}/scoring"]').click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{server.url}#{KEY}/scoring"


def test_an_address_that_the_browser_does_not_copy_is_shown(page, server) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    shown(page, server).locator(f'[data-id="{KEY}/scoring"]').click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_label("Address of this view")).to_have_value(f"{server.url}#{KEY}/scoring")


def test_two_batches_are_compared_by_version_checksum_figures_and_checks(page, server) -> None:
    old = output("prices/2026-11-21T06:00:00/b", 1000, [check("jumps", value=0)])
    server.answers |= {
        f"/rankalpha/lineage/{KEY}": (200, lineage(KEY, output(checks=[check("jumps", value=2)]))),
        f"/rankalpha/lineage/{OTHER}": (200, lineage(OTHER, old)),
    }
    shown(page, server).locator(f'[data-id="{KEY}"]').click()
    page.get_by_label("Compare with").select_option(OTHER)
    rows = page.locator(".compared tbody tr:visible")
    expect(rows).to_have_count(3)
    cells = [row.locator("th, td").all_text_contents() for row in rows.all()]
    assert cells == [
        ["Version", "prices/2026-11-22T06:00:00/a", "prices/2026-11-21T06:00:00/b", "differs"],
        ["Rows", "1,234", "1,000", "+234 (+23.4 %)"],
        ["Check: jumps", "2", "0", "+2"],
    ]
    page.get_by_label("Only what differs").uncheck()
    assert page.locator(".compared tbody tr:visible", has_text="Symbols").text_content() == "Symbols2020same"
    assert page.evaluate("location.hash") == f"#{KEY}..{OTHER}"
    page.reload()
    expect(page.locator("dialog h2")).to_have_text("Comparison")
    page.get_by_role("button", name="Back to the batch").click()
    expect(page.locator("dialog h2")).to_have_text("Whole batch")


def test_a_batch_that_has_published_nothing_is_compared_all_the_same(page, server) -> None:
    server.answers |= {
        f"/rankalpha/lineage/{KEY}": (200, lineage(KEY, None)),
        f"/rankalpha/lineage/{OTHER}": (200, lineage(OTHER, output())),
    }
    shown(page, server, f"#{KEY}..{OTHER}")
    expect(page.locator(".compared tr", has_text="Rows")).to_contain_text("only the other")


def test_a_batch_that_is_not_known_any_more_cannot_be_compared(page, server) -> None:
    server.answers[f"/rankalpha/lineage/{KEY}"] = (200, lineage(KEY, output()))
    shown(page, server, f"#{KEY}..{OTHER}")
    expect(page.locator("dialog .refusal")).to_contain_text("The comparison cannot be shown")


def rerunning(page, server):
    server.answers["/api/v2/dags/rankalpha_ingestion/dagRuns"] = (200, {"dag_run_id": "r2"})
    shown(page, server).locator(f'[data-id="{OTHER}/ingestion"]').click()
    page.get_by_role("button", name="Re-run from here").click()
    return [path for path in server.asked if "dagRuns" in path]


def test_a_stage_is_run_again_only_once_that_is_confirmed(page, server) -> None:
    assert rerunning(page, server) == []
    expect(page.locator(".asked")).to_contain_text(f"Run ingestion again for batch {OTHER}?")
    expect(page.locator(".asked")).to_contain_text("scoring, sentiment, grading and evaluation follow")
    expect(page.get_by_role("button", name="Start the run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("Run r2 of rankalpha_ingestion has started")


def test_a_person_who_thinks_again_starts_nothing(page, server) -> None:
    rerunning(page, server)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Re-run from here")).to_be_focused()
    assert [path for path in server.asked if "dagRuns" in path] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing(page, server, theme, width) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    one = batch(KEY, *STATES[:5])
    one["steps"][1] = step("scoring", "failed", checks=[check("rows"), check("jumps", "warn", passed=False)])
    server.answers |= {
        "/rankalpha/overview": (200, overview(one, batch(OTHER, *STATES[5:]))),
        **{
            f"/rankalpha/lineage/{key}": (200, lineage(key, output(rows=n)))
            for n, key in enumerate((KEY, OTHER))
        },
    }
    assert stumbles(shown(page, server)) == []
    for place, there in ((f"{KEY}/scoring", ".checks"), (KEY, ".graph"), (f"{KEY}..{OTHER}", ".compared")):
        page.evaluate("(place) => (location.hash = place)", place)
        page.locator(f"dialog {there}").first.wait_for()
        page.wait_for_selector("text=Loading the lineage", state="hidden")
        assert stumbles(page) == [], place
    page.evaluate("(place) => (location.hash = place)", f"{OTHER}/scoring")
    page.locator("dialog h2", has_text="scoring").wait_for()
