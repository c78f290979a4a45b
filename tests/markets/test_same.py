"""A variant that is the same: in 20 batches of the real services it differs in nothing; another one does.

`make test-histories` runs it: the 20 batches take minutes.
"""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.markets import read
from tests.support.checkout import ROOT
from tests.support.figures import ALL
from tests.support.lane import Lane
from tests.support.recording_stack import new_stack, write_markets

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not ALL, reason="20 batches of the real services run in make test-histories"),
]
VARIANTS = """
[default.variants.same.settings.scorer]
SCORER_COMMAND = "python apps/scorer/main.py"

[default.variants.neutral]
settings = {scorer = {SCORER_SECTOR_NEUTRAL = "true"}}
"""
TUESDAY = datetime(2025, 10, 7, 6, tzinfo=UTC)  # four weeks without a holiday of the exchange from here on
KEYS = [key_of(TUESDAY + timedelta(days=7 * week + day)) for week in range(4) for day in range(5)]


@pytest.fixture(scope="module")
def lane(home, shared):
    """The default market, with two variants; its own stack, because its stages do their work."""
    folder = home / "same"
    shutil.copytree(ROOT / "env" / "local", folder / "env" / "local")
    write_markets(folder / "markets.toml", {"default": {"calendar": "XNYS"}})
    with (folder / "markets.toml").open("a") as file:
        file.write(VARIANTS)
    settings = {"RANKALPHA_MARKETS": str(folder / "markets.toml"), "RANKALPHA_STAGE_TIMEOUT": "600"}
    with new_stack(folder, shared, **settings).started() as running:
        (market,) = read(folder / "markets.toml")
        yield Lane(running, market, None)


@pytest.fixture(scope="module")
def ingested(lane):
    """The batches, one after another; the record of them, which nobody waits for, is not made."""
    with lane.paused("evaluation"):
        for key in KEYS:
            lane.trigger("ingestion", key)
            lane.stack.settle([dag for dag in lane.pipeline.dag_ids if dag != lane.dag("evaluation")])


def compared(lane, variant):
    """What `compare` finds of the batches."""
    done = lane.command("compare", "--variant", variant, "--batches", str(len(KEYS)), "--json")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert [row["batch"] for row in found["batches"]] == KEYS[::-1]
    return found


@pytest.mark.usefixtures("ingested")
def test_a_challenger_of_the_same_differs_in_no_batch(lane, figures, say):
    found = compared(lane, "same")
    for row in found["batches"]:
        assert (row["symbols"], row["changed"], row["changed_symbols"]) == (20, 0, "")
        assert row["rank_correlation"] == pytest.approx(1)
        assert row["top_overlap"] == row["top"]
    for key in KEYS:
        (own,), (champions,) = lane.published("same_scores", key), lane.published("scores", key)
        assert own["extra"]["container"]["seconds"] > 0, "it has run, and nothing was used again"
        assert own["extra"]["version"]["path"] != champions["extra"]["version"]["path"]
    counts = found["summary"]
    figures.add(**{"batches": counts["batches"], "batches that differ": counts["different"]})
    say(lane.command("compare", "--variant", "same").stdout)


@pytest.mark.usefixtures("ingested")
def test_one_that_is_not_the_same_is_told_apart(lane, say):
    assert compared(lane, "neutral")["summary"]["different"] == len(KEYS)
    say(lane.command("compare", "--variant", "neutral", "--batches", str(len(KEYS))).stdout)
