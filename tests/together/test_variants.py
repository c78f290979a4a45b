"""Champion and challenger on the same batches, with the real services: the champion is as without it."""

import json
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from statistics import mean

import polars as pl
import pytest

from datasets.comparisons import COMPARISONS_CONTRACT
from rankalpha.contract.contract import failed
from rankalpha.operators.compare import CompareOperator
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.promotion import promoted, undone
from rankalpha.stages.grading import COMPARE
from tests.unit.rankalpha.support.task_context import TaskInstance, context
from tests.unit.rankalpha.support.together import Together, bytes_of

FIRST, SECOND = "2025-11-19T06:00:00", "2025-11-20T06:00:00"
TABLE = {
    "variants": {
        "same": {"images": {"scorer": "rankalpha_scorer"}},
        "weight": {"sentiment_weight": 1.0},
        "neutral": {"settings": {"scorer": {"SCORER_SECTOR_NEUTRAL": "true"}}, "sentiment_weight": 0.3},
    }
}
MARKET = Market(**TABLE)


@pytest.fixture
def champion(together):
    return together(MARKET)


def challenge(champion, variant, key):
    """Run a challenger's steps for a batch by its events; return the challenger and the comparison."""
    market = Challenger.of(MARKET, variant)
    own = Together(champion.patch, market, beside=champion)
    for step in market.declared.steps:
        outcome = own.run(step.writes, key, how="events", joined=own.joined(*step.reads))
        assert outcome[0] == "published", own.error
    ti, both = TaskInstance(), [champion.assets["grades"], own.assets["grades"]]
    task = CompareOperator(task_id="compare_grades", call=COMPARE.of(market), consumes=both)
    task.execute(context(key, ti, asset_state_store=own.stores))
    result = ti.output["result"]
    assert failed(COMPARISONS_CONTRACT.evaluate(key, result, {}, required=True), "block") == []
    return own, result


def shown(champion):
    with urllib.request.urlopen(f"{champion.url}/api/v1/grading/grades") as answer:
        return json.load(answer)


def test_a_challenger_of_the_same_build_differs_in_nothing_and_has_run(champion):
    for key in (FIRST, SECOND):
        champion.batch(key)
        own, result = challenge(champion, "same", key)
        details = result["details"]
        assert (result["rows"], details["changed"], details["rank_correlation"]) == (20, 0, pytest.approx(1))
        assert details["top_overlap"] == details["top"] == 3
        assert details["sessions_1"] == (key == SECOND)
        assert own.version("scores")["path"] != champion.version("scores")["path"]
        assert (
            own.version("grades")["inputs"]["sentiment"] == champion.version("grades")["inputs"]["sentiment"]
        )
    assert details["champion_spread_1"] == details["challenger_spread_1"] != 0
    assert details["difference_1"] == 0


def test_once_returns_are_in_a_challengers_a_minus_f_is_paired_with_the_champions(champion):
    champion.batch(FIRST)
    own, result = challenge(champion, "neutral", FIRST)
    assert (result["details"]["sessions_1"], result["details"]["difference_1"]) == (0, None)
    graded = [letters_of(champion.data / each.version("grades")["path"]) for each in (champion, own)]
    champion.batch(SECOND)
    _, result = challenge(champion, "neutral", SECOND)
    prices = champion.data / champion.version("prices")["path"] / "prices.parquet"
    closes = pl.read_parquet(prices).sort("date").group_by("symbol").agg(pl.col("close").tail(2))
    gains = {symbol: after / before - 1 for symbol, (before, after) in closes.iter_rows()}
    worth = [
        mean(gains[symbol] for symbol in of["A"]) - mean(gains[symbol] for symbol in of["F"]) for of in graded
    ]
    details = result["details"]
    assert details["sessions_1"] == 1
    assert [details["champion_spread_1"], details["challenger_spread_1"]] == pytest.approx(worth)
    assert details["difference_1"] == pytest.approx(worth[1] - worth[0])
    assert details["difference_low_1"] is None


@pytest.mark.parametrize("variant", ["weight", "neutral"])
def test_a_challenger_changes_nothing_of_its_champion(champion, variant):
    champion.batch(FIRST)
    before, files, record = shown(champion), bytes_of(champion.data), list(champion.events["grades"])
    own, result = challenge(champion, variant, FIRST)
    assert result["details"]["changed"] > 0
    assert own.version("grades")["path"] != champion.version("grades")["path"]
    assert (shown(champion), champion.events["grades"]) == (before, record)
    after = bytes_of(champion.data)
    assert {name: after.get(name) for name in files} == files  # it has written beside, and removed nothing


def test_what_was_promoted_grades_as_the_challenger_did_and_what_was_undone_as_before(champion):
    champion.batch(FIRST)
    own, _ = challenge(champion, "neutral", FIRST)
    record = {"at": datetime.now(UTC), "by": "ann", "reason": "it is better"}
    after = promoted(TABLE, "neutral", {}, record)
    expected = [grades_of(own), grades_of(champion)]
    assert expected[0] != expected[1]
    found = [graded_again(champion, table) for table in (after, undone(after, record))]
    assert found == expected


def graded_again(champion, table):
    """Run scoring and grading again for a batch, with the market as a table has it."""
    own = Together(champion.patch, Market(**table), beside=champion)
    for name in ("scores", "grades"):
        assert own.run(name, FIRST)[0] == "published", own.error
    return grades_of(own)


def letters_of(version):
    """The symbols of a version of grades by letter."""
    found = defaultdict(list)
    for grade in json.loads((version / "grades.json").read_text())["grades"]:
        found[grade["grade"]].append(grade["symbol"])
    return found


def grades_of(pipeline):
    """The checksum of the newest grades that were published."""
    return pipeline.version("grades")["files"]["grades.json"]["sha256"]
