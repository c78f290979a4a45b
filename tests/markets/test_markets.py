"""Many markets in one running Airflow: batches of one key at once, each graded once, on its own data."""

import json
import time
from collections import Counter
from hashlib import sha256

import pytest
import requests

from rankalpha.health.diagnosis import all_incidents
from rankalpha.health.snapshot import snapshots
from rankalpha.pipeline.markets import markets
from rankalpha.pipeline.pipelines import _by_dag, pipeline, pipelines
from rankalpha.settings import settings
from tests.support.figures import ALL
from tests.support.recording_stack import recording_stack
from tests.support.services import FRONTEND, GRADING, RecordingServices
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.timeout(700),  # the first test waits for all batches
    pytest.mark.story,  # in the end a batch is run again, which the chapters before it count
]
KEY = "2023-05-01T06:00:00"
MANY = 50 if ALL else 12  # each waits for two cores
TOKEN = "t" * 32
SECONDS = 600
NAMES = [f"m{number:02}" for number in range(MANY)]


@pytest.fixture(scope="module")
def own_services():
    """The API and frontend of all markets."""
    with RecordingServices() as servers:
        yield servers


@pytest.fixture(scope="module")
def stack(home, shared, own_services):
    """A running stack of the default market and many more, three of which have a pool of their own.

    Its own, because so many markets would slow down the batches of all other tests of a shared one.
    """
    folder = home / "markets"
    tables = {"default": {}, **{name: {"slots": 2} if name < "m03" else {} for name in NAMES}}
    settings = {"RANKALPHA_STAGE_SLOTS": "16", "RANKALPHA_METRICS_TOKEN": TOKEN}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANKALPHA_MARKETS", str(folder / "markets.toml"))
        forget()
        with recording_stack(folder, shared, own_services, tables, **settings) as running:
            yield running
    forget()


def forget():
    for read in (settings, markets, pipelines, _by_dag):
        read.cache_clear()


@pytest.fixture(scope="module")
def graded(stack, say):
    """Batches of all markets but the default, with one key, all triggered at once; how long it took."""
    begun = time.monotonic()
    for name in NAMES:
        stack.trigger(f"rankalpha_{name}_ingestion", KEY)
    triggered = time.monotonic() - begun
    which = {"dag_id_pattern": "rankalpha%evaluation", "state": ["success"]}  # each follows a grading

    def all_graded():
        return len(list(stack.api.every("dags/~/dagRuns", "dag_runs", **which))) == MANY

    wait_for(f"{MANY} graded batches", all_graded, SECONDS)
    took = time.monotonic() - begun
    say(f"{MANY} batches of {MANY} markets, triggered within {triggered:.1f} s: graded after {took:.0f} s")


def test_each_batch_is_graded_once_and_the_frontend_told_once(stack, own_services, graded):
    runs = list(stack.api.every("dags/~/dagRuns", "dag_runs", dag_id_pattern="rankalpha%m%"))
    of_batch = Counter((run["dag_id"], run["state"]) for run in runs if run["partition_key"] == KEY)
    steps = ("ingestion", "scoring", "sentiment", "grading", "evaluation")
    assert of_batch == {(f"rankalpha_{name}_{step}", "success"): 1 for name in NAMES for step in steps}
    for path in (GRADING, FRONTEND):
        assert Counter(own_services.markets[path]) == dict.fromkeys(NAMES, 1)
        assert set(own_services.asked(path)) == {KEY}


def test_each_stage_has_seen_its_markets_data_alone(stack, graded):
    data = stack.state / "data"
    assert sorted(path.name for path in data.iterdir()) == NAMES
    for name in NAMES:
        entries = [json.loads(line) for line in (data / name / "journal.jsonl").read_text().splitlines()]
        seen = sorted(entry["stage"] for entry in entries)
        assert seen == ["evaluation", "ingestion", "scorer", "sentiment"]
        assert {(entry["market"], entry["batch"]) for entry in entries} == {(name, KEY)}


def test_each_market_has_published_its_own_results(stack, graded):
    events = list(stack.api.every("assets/events", "asset_events"))
    assert len(events) == 5 * MANY
    written = {"prices": "ingestion", "scores": "scorer", "sentiment": "sentiment"}
    written |= {"evaluations": "evaluation"}
    for event in events:
        name, _, dataset = event["name"].partition("_")
        assert (event["partition_key"], event["source_dag_id"].split("_")[1]) == (KEY, name)
        if stage := written.get(dataset):
            of_market = sha256(f"{stage} {KEY}{name}".encode()).hexdigest()
            assert event["extra"]["checksum"] == f"sha256:{of_market}"


def test_each_grading_has_consumed_its_markets_halves(stack, graded):
    for name in NAMES[::10]:
        (run,) = stack.runs(f"rankalpha_{name}_grading")
        path = f"dags/rankalpha_{name}_grading/dagRuns/{run['dag_run_id']}/upstreamAssetEvents"
        consumed = {event["name"] for event in stack.api.get(path)["asset_events"]}
        assert consumed == {f"{name}_scores", f"{name}_sentiment"}


def test_the_watchdog_sees_every_batch_settled_by_few_requests(stack, graded, monkeypatch):
    asked = []
    send = stack.api._session.request
    monkeypatch.setattr(
        stack.api._session, "request", lambda *args, **kwargs: asked.append(kwargs) or send(*args, **kwargs)
    )
    found = snapshots(stack.api, 1, pipelines())
    assert {one.pipeline.market.name: [batch.where for batch in one.batches] for one in found} == {
        "default": [],
        **{name: ["graded"] for name in NAMES},
    }
    assert all_incidents(found) == []
    assert sum(not request["params"].get("offset") for request in asked) == 10
    (alone,) = snapshots(stack.api, 1, [pipeline("m07")])
    assert alone.batches == next(one for one in found if one.pipeline.market.name == "m07").batches


def test_health_shows_all_markets_or_one(stack, graded):
    done = stack.command("health")
    assert (done.returncode, "All is well." in done.stdout) == (0, True), done.stdout
    assert all(name in done.stdout for name in NAMES)
    done = stack.command("health", "--market", "m07")
    assert (done.returncode, KEY in done.stdout) == (0, True), done.stdout
    done = stack.command("health", "--market", "m77")
    assert (done.returncode, "there is no market 'm77'; " in done.stdout) == (2, True)


def test_the_page_and_the_metrics_know_the_market(stack, graded):
    seen = stack.api.get("/rankalpha/overview", market="m07")
    assert (seen["market"]["name"], seen["markets"]) == ("m07", ["default", *NAMES])
    assert [one["batch"] for one in seen["batches"]] == [KEY]
    assert set(seen["user"]["rights"]) == set(pipeline("m07").dag_ids)
    lineage = stack.api.get(f"/rankalpha/lineage/{KEY}", market="m07")
    assert [step["output"]["dataset"] for step in lineage["steps"]] == [
        step.writes for step in pipeline("m07").steps
    ]
    token = {"Authorization": f"Bearer {TOKEN}"}
    text = requests.get(f"{stack.urls['airflow']}/rankalpha/metrics", headers=token, timeout=60).text
    assert 'rankalpha_dataset_rows{dataset="scores",market="m07"} 1.0' in text


def test_a_market_with_slots_has_a_pool_of_its_own(stack, graded):
    pools = {pool["name"]: pool for pool in stack.api.get("pools")["pools"]}
    assert {name: pools[name]["slots"] for name in pools if name.startswith("stages_m")} == {
        f"stages_{name}": 2 for name in NAMES[:3]
    }
    assert pools["stages_m00"]["include_deferred"]


def test_a_batch_is_run_again_in_its_market_alone(stack, own_services, graded):
    done = stack.command("rerun", "--market", "m07", "--batch", KEY, "--from", "grading")
    assert done.returncode == 0, done.stdout
    assert f"Batch {KEY} of m07 is graded" in done.stdout
    assert Counter(own_services.markets[GRADING]) == {**dict.fromkeys(NAMES, 1), "m07": 2}
    refused = stack.command("rerun", "--batch", KEY)
    assert (refused.returncode, f"batch {KEY} was never ingested; there is none yet" in refused.stdout) == (
        2,
        True,
    )
