"""The tab of a variant on the operators' page: its comparisons, and nothing of it where none is declared."""

import pytest
from playwright.sync_api import expect

from tests.support.accessibility import stumbles
from tests.unit.rankalpha.support.page_server import KEY, batch, overview, page_server, step

OLDER = "2026-11-21T06:00:00"
MISSING = "\u2013"
ROUTE = "/rankalpha/comparison/challenger"


@pytest.fixture(scope="module")
def serving():
    with page_server() as found:
        yield found


@pytest.fixture
def server(serving):
    serving.asked.clear()
    serving.queries.clear()
    serving.answers = {"/rankalpha/overview": (200, of_variant(KEY)), ROUTE: (200, compared())}
    return serving


def of_variant(key, **changed):
    made = batch(key)
    made["steps"].append(step("challenger_comparison", needs=["grading"], published=f"{key}+00:00"))
    return overview(made, **{"variants": ["challenger"], **changed})


def row(key, **changed):
    letters = {f"{who}_{letter}": 4 for who in ("champion", "challenger") for letter in "ABCDF"}
    made = {"batch": key, "as_of": key[:10], "symbols": 20, "changed": 2, "changed_symbols": "KO B-A, PG A-B"}
    return {**made, "rank_correlation": 0.9, "top": 4, "top_overlap": 3, **letters, **changed}


def worth(horizon, sessions, *figures):
    names = ("champion", "challenger", "difference", "low", "high")
    return {"horizon": horizon, "sessions": sessions, **dict(zip(names, figures, strict=True))}


def compared(**changed):
    used = {
        "stage": "scorer",
        "runs": 2,
        "seconds": 4.5,
        "cpu_seconds": 0.8,
        "peak_memory_bytes": 150 * 1024**2,
    }
    made = {"market": "default", "variant": "challenger"}
    made["summary"] = {
        "batches": 2,
        "different": 1,
        "changed": 2,
        "rank_correlation": 0.95,
        "top_overlap": 0.9,
    }
    made["returns"] = [
        worth(1, 250, 0.001, 0.003, 0.002, 0.0005, 0.0041),
        worth(5, 246, 0.004, 0.003, -0.001, -0.004, 0.002),
        worth(21, 40, 0.02, 0.01, -0.01, None, None),
    ]
    made["batches"] = [row(KEY), row(OLDER, changed=0, changed_symbols="", rank_correlation=None)]
    made["stages"] = [
        {**used, "who": "champion"},
        {
            **used,
            "who": "challenger",
            "runs": 0,
            "seconds": None,
            "cpu_seconds": None,
            "peak_memory_bytes": None,
        },
    ]
    return {**made, **changed}


def shown(page, server, place="#~challenger"):
    page.goto(f"{server.url}{place}")
    page.locator("#live[data-state=live]").wait_for()
    return page


def cells(page, title):
    region = page.get_by_role("region", name=title)
    return [one.locator("th, td").all_inner_texts() for one in region.locator("tbody tr").all()]


def test_without_a_variant_there_is_no_tab(page, server):
    server.answers["/rankalpha/overview"] = (200, overview(batch(KEY)))
    shown(page, server, "")
    expect(page.locator("#views")).to_be_hidden()
    expect(page.locator("#rows tr")).to_have_count(1)


def test_a_tab_leads_to_the_comparisons_and_back(page, server):
    shown(page, server, "")
    assert ROUTE not in "".join(server.asked), "nobody looks at it"
    page.get_by_role("link", name="Variant challenger").click()
    expect(page.get_by_role("link", name="Variant challenger")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", name="How the grades differ")).to_be_visible()
    expect(page.locator("#rows")).to_be_hidden()
    expect(page.get_by_label("Days of batches")).to_be_hidden()
    assert page.title() == "RankAlpha · Variant challenger"
    page.go_back()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#variant")).to_be_hidden()


def test_it_says_what_the_variant_was_worth_and_how_sure_that_is(page, server):
    server.answers[ROUTE] = (200, compared())
    shown(page, server).get_by_role("heading", name="What it was worth").wait_for()
    assert cells(page, "What it was worth") == [
        ["1 session", "better", "+0.20 %", "+0.05 % to +0.41 %", "+0.10 %", "+0.30 %", "250"],
        ["5 sessions", "not told apart", "-0.10 %", "-0.40 % to +0.20 %", "+0.40 %", "+0.30 %", "246"],
        ["21 sessions", "too new to tell", "-1.00 %", MISSING, "+2.00 %", "+1.00 %", "40"],
    ]


@pytest.mark.parametrize(("band", "verdict"), [((-0.004, -0.001), "worse"), ((0.0, 0.0), "the same")])
def test_a_band_is_put_in_words(page, server, band, verdict):
    server.answers[ROUTE] = (200, compared(returns=[worth(1, 250, 0.001, 0.001, 0.0, *band)]))
    shown(page, server).get_by_role("heading", name="What it was worth").wait_for()
    assert cells(page, "What it was worth")[0][1] == verdict


def test_it_says_how_the_grades_of_each_batch_differ_newest_first(page, server):
    shown(page, server).get_by_role("heading", name="How the grades differ").wait_for()
    first, second = cells(page, "How the grades differ")
    assert first[0].split("\n") == ["Sun 22 Nov", "06:00:00"]
    assert first[1:5] == ["20", "2\nKO B-A\nPG A-B", "0.900", "3 of 4"]
    assert [second[2].strip(), second[3]] == ["0", MISSING]
    expect(page.get_by_text("1 of 2 batches differ, in 2 letters.")).to_be_visible()
    bars = page.locator("#variant .grades").first
    assert bars.get_attribute("aria-label") == "Grades: A 4, B 4, C 4, D 4, F 4"


def test_it_says_what_both_have_used(page, server):
    shown(page, server).get_by_role("heading", name="What it used").wait_for()
    assert cells(page, "What it used") == [
        ["scorer", "champion", "2", "4.5 s", "0.8 s", "150 MiB"],
        ["scorer", "variant", "0", MISSING, MISSING, MISSING],
    ]


def test_a_batch_that_was_compared_since_is_there_by_itself(page, server):
    page.clock.install()
    shown(page, server).get_by_role("heading", name="What it was worth").wait_for()
    server.answers |= {
        "/rankalpha/overview": (200, of_variant("2026-11-23T06:00:00")),
        ROUTE: (200, compared(batches=[row("2026-11-23T06:00:00")])),
    }
    page.clock.run_for(11_000)
    expect(page.locator("#variant")).to_contain_text("Mon 23 Nov")
    asked = [path for path in server.asked if path.endswith(ROUTE)]
    page.clock.run_for(11_000)
    assert [path for path in server.asked if path.endswith(ROUTE)] == asked, "nothing was compared since"


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (200, {"batches": []}, "No batch is compared yet."),
        (
            404,
            {"detail": "There is no variant 'challenger'. It may have been removed."},
            "may have been removed",
        ),
    ],
)
def test_what_is_not_there_is_said(page, server, status, answer, words):
    server.answers[ROUTE] = (status, answer)
    expect(shown(page, server).locator("#variant")).to_contain_text(words)
    page.get_by_role("link", name="Batches").click()
    expect(page.locator("#rows tr")).to_have_count(1)


def test_it_is_of_the_market_that_is_chosen(page, server):
    nyse = {"name": "nyse", "starts": "06:00 UTC", "ingestion": "rankalpha_nyse_ingestion"}
    server.answers["/rankalpha/overview"] = (200, of_variant(KEY, market=nyse, markets=["default", "nyse"]))
    shown(page, server, "#nyse/~challenger").get_by_role("heading", name="What it was worth").wait_for()
    queries = [
        query for path, query in zip(server.asked, server.queries, strict=False) if path.endswith(ROUTE)
    ]
    assert "market=nyse" in "".join(server.queries), queries
    assert page.get_by_role("link", name="Batches").get_attribute("href") == "#nyse"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing(page, server, theme, width):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    shown(page, server).get_by_role("heading", name="What it was worth").wait_for()
    assert stumbles(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page itself does not scroll"
    )
