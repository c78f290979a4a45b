"""`make plan` on past batches of the real services: what it finds, and that it leaves nothing behind."""

import json
import shlex
import shutil
from datetime import UTC, datetime

import pytest
from sklearn.linear_model import Ridge
from skops.io import dump

from apps.common.manifest import seal
from apps.scorer.features import FEATURES
from apps.scorer.model import FILE
from rankalpha.commands.plan import plan
from rankalpha.commands.refusals import Refused
from rankalpha.pipeline.champion import CHAMPION
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.pipeline.training import Training
from rankalpha.pipeline.versions import VERSIONS_KEY
from rankalpha.runners.identity import UNTIL
from rankalpha.runners.process import ProcessRunner
from tests.support.http_server import local_server
from tests.support.waiting import wait_for
from tests.unit.rankalpha.conftest import forget
from tests.unit.rankalpha.support.process_helpers import forked
from tests.unit.rankalpha.support.together import bytes_of

FIRST, SECOND = "2025-11-19T06:00:00", "2025-11-20T06:00:00"
TRAINED = "2025-11-16T06:00:00"
SAME = ("scorer", "SCORER_COMMAND=python apps/scorer/main.py")
HALF = """
from apps.common.run import run_stage
from apps.scorer import work

ranked = work.ranked
work.ranked = lambda frame: ranked(frame).head(10)
run_stage("scorer", work.score)
"""


@pytest.fixture(params=[DEFAULT_MARKET])
def champion(together, request, monkeypatch, tmp_path):
    """A market with two graded batches, and an Airflow that lists its events."""
    training = f"[{request.param.name}.training]\n" if request.param.training else ""
    (tmp_path / "markets.toml").write_text(f"[{request.param.name}]\n{training}")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    made = together(request.param)
    for key in (FIRST, SECOND):
        made.batch(key)
    with local_server(lambda request: answer(made, request)) as (url, _):
        monkeypatch.setenv("RANKALPHA_AIRFLOW_URL", url)
        monkeypatch.setenv("RANKALPHA_API_URL", made.url)
        forget()
        yield made


def answer(champion, request):
    """Airflow's answer to what a plan asks."""
    state = "/api/v2/assets/7/state-store/"
    if request.path == "/auth/token":
        return 201, {"access_token": "token"}
    if request.path == "/api/v2/variables":
        return 200, {"variables": []}
    if request.path == "/api/v2/assets":
        return 200, {"assets": [{"name": champion.market.dataset_name("models"), "id": 7}]}
    if request.path.startswith(state):
        return 200, {"value": champion.models[request.path.removeprefix(state)]}
    if request.path != "/api/v2/assets/events":
        return 404, {"detail": "not found"}
    (prefix,) = request.query["name_prefix_pattern"]
    events = [
        {"name": champion.assets[name].name, "partition_key": key, "extra": extra}
        for name, published in champion.events.items()
        for key, extra in reversed(published)
    ]
    return 200, {"asset_events": [each for each in events if each["name"].startswith(prefix)]}


def run(capsys, *stage_settings, weight=None, batches=10, market=None):
    """Plan; return the exit status and what was found, by batch."""
    capsys.readouterr()
    status = plan(None, [], stage_settings, weight, batches, market, as_json=True)
    found = json.loads(capsys.readouterr().out)
    return status, found["summary"], {row["batch"]: row for row in found["batches"]}


def script(champion, text):
    """A setting of the scorer that has it run a script."""
    path = champion.data.parent / "scorer.py"
    path.write_text(text)
    return "scorer", f"SCORER_COMMAND={shlex.join(('python', str(path)))}"


def letters(grades, weight):
    """The grades by the method as docs/guides/ranking.md has it, from what the page shows of each stock."""
    mixed = {
        each["symbol"]: round((1 - weight) * each["score"] + weight * ((each["sentiment"] or 0) + 1) * 50, 2)
        for each in grades
    }
    best = sorted(mixed, key=lambda symbol: (-mixed[symbol], symbol))
    shares = list(zip("ABCDF", (0.15, 0.4, 0.7, 0.9, 1), strict=True))
    return {
        symbol: next(letter for letter, share in shares if (place + 0.5) / len(best) <= share)
        for place, symbol in enumerate(best)
    }


def of_plans():
    """The containers that plans have left."""
    return [each for each in ProcessRunner().containers({}) if UNTIL in each.labels]


@pytest.mark.parametrize("champion", [Market(name="nyse")], indirect=True)
def test_a_plan_of_the_same_differs_in_nothing_and_leaves_nothing(champion, capsys):
    before = bytes_of(champion.data)
    status, summary, rows = run(capsys, SAME)
    assert (status, summary["batches"], summary["different"], summary["changed"]) == (0, 2, 0, 0)
    assert list(rows) == [SECOND, FIRST]
    assert {row["symbols"] for row in rows.values()} == {20}
    assert bytes_of(champion.data) == before
    assert of_plans() == []


def test_a_weight_changes_exactly_the_expected_symbols_and_what_a_contract_would_block_ends_with_3(
    champion, capsys
):
    before = bytes_of(champion.data)
    status, summary, rows = run(capsys, weight=0.6)
    assert (status, summary["different"]) == (0, 2)
    for key, row in rows.items():
        shown = json.loads((champion.data / "grades" / f"{key}.json").read_text())["grades"]
        after = letters(shown, 0.6)
        assert letters(shown, 0.2) == {each["symbol"]: each["grade"] for each in shown}
        expected = [f"{each['symbol']} {each['grade']}-{after[each['symbol']]}" for each in shown
                    if each["grade"] != after[each["symbol"]]]  # fmt: skip
        assert row["changed_symbols"] == ", ".join(expected)

    status, summary, rows = run(capsys, script(champion, HALF))
    assert (status, summary["blocked"], summary["batches"]) == (3, 1, 1)
    assert rows[SECOND] == {
        "batch": SECOND,
        "blocked": "scores: Change of symbols is -50 %; expected at least -20 %",
    }
    graded = [each["symbol"] for each in shown]  # there is no batch before the first, which is not blocked
    lost = rows[FIRST]["champion_only_symbols"].split(", ")
    assert (rows[FIRST]["symbols"], len(lost), set(lost) < set(graded)) == (10, 10, True)
    assert bytes_of(champion.data) == before


def test_a_stage_that_fails_ends_with_1_and_a_batch_that_lost_its_prices_is_left_out(champion, capsys):
    _, extra = champion.events["prices"][0]
    shutil.rmtree(champion.data / extra["version"]["path"])
    before = bytes_of(champion.data)
    status, summary, rows = run(capsys, script(champion, "raise SystemExit('no such model')"))
    assert (status, summary["failed"], summary["left_out"]) == (1, 1, 1)
    assert "no such model" in rows[SECOND]["failed"]
    assert "missing, so this version was removed" in rows[FIRST]["left_out"]
    assert bytes_of(champion.data) == before
    assert of_plans() == []
    shutil.rmtree(champion.data / "grades" / SECOND)
    with pytest.raises(Refused, match=f"no batch can be planned: {SECOND}: "):
        run(capsys, SAME)


def test_a_plan_that_is_killed_changes_nothing_that_is_published(champion, capsys):
    before = bytes_of(champion.data)
    slow = script(champion, f"import time\ntime.sleep(60)\n{HALF}")
    with forked(lambda: plan(None, [], [slow], None, 1, None, as_json=True)):
        wait_for("the stage of the plan", lambda: [each for each in of_plans() if each.running])
    (left,) = of_plans()
    assert datetime.fromisoformat(left.labels[UNTIL]) > datetime.now(UTC)  # then it is swept
    assert left.running
    assert bytes_of(champion.data) == before


@pytest.mark.parametrize("champion", [Market(training=Training())], indirect=True)
def test_a_plan_gives_a_batch_the_model_that_is_named_or_the_champion_of_its_time(champion, capsys):
    path = f"models/{TRAINED}/trainer-1-1"
    (folder := champion.data / path).mkdir(parents=True)
    regressor = Ridge().fit([[0.0] * len(FEATURES), [1.0] * len(FEATURES)], [0.0, 1.0])
    regressor.coef_[:] = [-1.0, *[0.0] * (len(FEATURES) - 1)]  # the best are those that the formula has last
    dump(regressor, folder / FILE)
    own = {"path": path, "sha256": seal(folder, path, "trainer", {}).sha256}
    approved = {**own, "batch": TRAINED, "at": f"{SECOND[:10]}T01:00:00+00:00", "by": "ann"}
    champion.models = {VERSIONS_KEY: {TRAINED: own}, CHAMPION: [approved]}
    before = bytes_of(champion.data)
    status, _, named = run(capsys, ("scorer", f"SCORER_MODEL={TRAINED}"))
    assert status == 0
    assert min(row["changed"] for row in named.values()) > 0
    status, _, of_its_time = run(capsys, ("scorer", "SCORER_MODEL=champion"))
    assert status == 0
    assert of_its_time[FIRST]["changed"] == 0, "it was due before the approval"
    assert of_its_time[SECOND]["changed_symbols"] == named[SECOND]["changed_symbols"]
    assert bytes_of(champion.data) == before
    shutil.rmtree(folder)
    with pytest.raises(Refused, match=f"no batch can be planned: {SECOND}: .*{TRAINED}"):
        run(capsys, ("scorer", f"SCORER_MODEL={TRAINED}"))
