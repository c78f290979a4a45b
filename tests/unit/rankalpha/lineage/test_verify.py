"""What is verified of a batch, by the command and by the maintenance, and what each says."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.airflow_api import AirflowApi
from rankalpha.commands.refusals import Refused
from rankalpha.commands.verify import verify
from rankalpha.lineage.service import ServiceError
from rankalpha.lineage.verify import verify_batch
from rankalpha.lineage.verify_task import verify_versions
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, Pipeline
from tests.support.http_server import local_server

KEY, OLDER = "2025-11-20T06:00:00", "2025-11-19T06:00:00"
PRICES = {"path": f"prices/{KEY}/ingestion-1-1", "sha256": "0a" * 32}
REPLACED = {"path": f"prices/{KEY}/ingestion-2-1", "sha256": "0b" * 32}
SCORES = {"path": f"prices/{KEY}/scorer-1-1", "sha256": "0c" * 32, "inputs": {"prices": REPLACED}}
GRADES = {"path": f"grades/{KEY}/grading-1-1", "sha256": "0d" * 32}
ROTTEN = "/data/prices/x.parquet: its SHA-256 is 00, but 11 was published"


def event(dataset, version, key=KEY, moment=1, run=None):
    return {
        "name": dataset,
        "source_dag_id": run and "rankalpha_grading",
        "source_run_id": run,
        "partition_key": key,
        "timestamp": f"{key[:10]}T07:00:0{moment}Z",
        "extra": {"version": version} if version else {},
    }


class Servers:
    """Airflow's API and RankAlpha's, as far as verifying needs them."""

    def __init__(self):
        self.events = [event("prices", REPLACED), event("prices", PRICES, moment=2), event("scores", SCORES)]
        self.rotten = set()
        self.verified, self.shown = [], []
        self.runs = {}  # the state of a grading run by its id
        self.meanwhile = None  # what happens once a version was found to be wrong
        self.status = 200
        self.cannot = {}  # other statuses, by market

    def __call__(self, request):
        if request.path == "/auth/token":
            return 201, {"access_token": "token"}
        if request.path.startswith("/api/v2/variables/"):
            return 404, {"detail": "not found"}
        if request.path == "/api/v2/assets/events":
            (name,) = request.query["name_prefix_pattern"]
            return 200, {"asset_events": [each for each in self.events if each["name"] == name]}
        if request.path.startswith("/api/v2/dags/rankalpha_grading/dagRuns/"):
            run = request.path.rpartition("/")[2]
            return (200, {"state": self.runs[run]}) if run in self.runs else (404, {"detail": "not found"})
        assert request.path == "/api/v1/verify"
        (path,), (sha256,) = request.query["path"], request.query["sha256"]
        self.verified.append((path, sha256))
        self.shown += [path] if "shown" in request.query else []
        problems = [ROTTEN] if path in self.rotten else []
        if problems and self.meanwhile:
            self.meanwhile()
        (market,) = request.query.get("market", [""])
        return self.cannot.get(market, self.status), {"ok": not problems, "problems": problems}


@pytest.fixture
def servers(monkeypatch, profile_dir):
    monkeypatch.setattr("rankalpha.lineage.verify.AGAIN_AFTER", 0)
    found = Servers()
    with local_server(found) as (url, _):
        monkeypatch.setenv("RANKALPHA_AIRFLOW_URL", url)
        monkeypatch.setenv("RANKALPHA_API_URL", url)
        monkeypatch.setenv("RANKALPHA_ADMIN_PASSWORD", "sesame")
        found.url = url
        yield found


def test_what_is_published_and_what_it_was_made_from_is_read_again(servers, capsys):
    assert verify(KEY, None) == 0
    paths = [PRICES, SCORES, REPLACED]
    assert servers.verified == [(each["path"], each["sha256"]) for each in paths]
    assert servers.shown == []  # there are no grades yet
    said = capsys.readouterr().out
    assert f"{REPLACED['path']}  (prices, read by scores)" in said
    assert "NOT AS PUBLISHED" not in said


def test_a_changed_file_is_named_with_the_way_out(servers, capsys):
    servers.rotten = {REPLACED["path"]}
    assert verify(KEY, None) == 1
    said = capsys.readouterr().out
    assert f"NOT AS PUBLISHED  {REPLACED['path']}" in said
    assert f"    {ROTTEN}\n" in said
    assert f"rerun --batch {KEY}` makes the batch again" in said


def test_without_a_key_the_newest_batch_is_verified(servers, capsys):
    servers.events = [event("prices", {**PRICES, "path": f"prices/{OLDER}/x-1-1"}, OLDER), *servers.events]
    assert verify(None, None) == 0
    assert capsys.readouterr().out.startswith(f"Batch {KEY}\n")


def test_a_batch_without_versions_is_not_called_changed(servers, capsys):
    servers.events = [event("prices", None)]
    assert verify(KEY, None) == 0
    assert "It has no versions" in capsys.readouterr().out


@pytest.mark.parametrize("key", [OLDER, "yesterday"])
def test_a_batch_that_does_not_exist_is_refused(servers, key):
    with pytest.raises(Refused, match=f"{key}.* (was never published|is not a batch key)"):
        verify(key, None)


def test_an_api_that_cannot_verify_is_named(servers):
    servers.status = 404
    with pytest.raises(Refused, match=r"/api/v1/verify.* answered 404"):
        verify(KEY, None)


def test_an_api_that_is_down_is_named(servers, monkeypatch):
    monkeypatch.setenv("RANKALPHA_API_URL", "http://127.0.0.1:9")
    with pytest.raises(ServiceError, match=r"GET http://127.0.0.1:9/api/v1/verify failed"):
        verify_batch(AirflowApi(servers.url, "rankalpha", "sesame"), DEFAULT_PIPELINE, KEY)


def test_the_maintenance_verifies_the_newest_batch_and_another(servers):
    older = {**PRICES, "path": f"prices/{OLDER}/ingestion-1-1"}
    servers.events.append(event("prices", older, OLDER))
    verify_versions()
    assert {PRICES["path"], older["path"]} <= {path for path, _ in servers.verified}


def test_the_maintenance_counts_the_problems_of_each_batch_apart(servers, caplog):
    servers.events.append(event("prices", {**PRICES, "path": f"prices/{OLDER}/ingestion-1-1"}, OLDER))
    servers.rotten = {PRICES["path"]}  # of the newest batch, which comes first
    with caplog.at_level("INFO"), pytest.raises(AirflowFailException):
        verify_versions()
    assert f"Batch {OLDER}: 1 version, 0 problems" in caplog.text


def test_the_maintenance_fails_for_good_and_names_the_file(servers):
    servers.rotten = {PRICES["path"]}
    with pytest.raises(AirflowFailException, match=r"changed on the disk: /data/prices/x.parquet: its SHA"):
        verify_versions()


def test_the_maintenance_goes_on_with_an_api_that_cannot_verify(servers, caplog):
    servers.status = 404
    verify_versions()
    assert "this API cannot verify versions" in caplog.text


@pytest.mark.parametrize("status", [404, 503])
def test_the_maintenance_asks_for_each_market_whatever_the_api_of_another_says(servers, monkeypatch, status):
    nyse = Pipeline.of(Market(name="nyse"))
    monkeypatch.setattr("rankalpha.pipeline.pipelines.pipelines", lambda: (DEFAULT_PIPELINE, nyse))
    servers.cannot = {"": status}
    changed = {**PRICES, "path": f"prices/{KEY}/ingestion-9-1"}
    servers.events.append(event("nyse_prices", changed))
    servers.rotten = {changed["path"]}
    with pytest.raises(AirflowFailException, match="changed on the disk"):
        verify_versions()


def test_the_maintenance_is_attempted_again_when_an_api_does_not_answer(servers):
    servers.status = 503
    with pytest.raises(ServiceError, match="503"):
        verify_versions()


def test_the_maintenance_has_nothing_to_do_before_the_first_batch(servers):
    servers.events = []
    verify_versions()
    assert servers.verified == []


@pytest.mark.parametrize("run", [None, "over", "gone"])
def test_published_grades_must_be_those_that_are_shown(servers, run):
    servers.runs = {"over": "success"}
    servers.events.append(event("grades", GRADES, run=run))
    verify_versions()
    assert servers.shown == [GRADES["path"]]


@pytest.mark.parametrize("state", ["queued", "running", "failed"])
@pytest.mark.parametrize("check", [verify_versions, lambda: verify(KEY, None)])
def test_grades_whose_run_has_not_had_them_shown_yet_are_not_called_changed(servers, state, check):
    """They are published, and the task that has them shown has not ended."""
    servers.runs = {"one": state}
    servers.events.append(event("grades", GRADES, run="one"))
    check()
    assert GRADES["path"] in {path for path, _ in servers.verified}
    assert servers.shown == []


def test_what_was_published_while_it_was_verified_is_looked_at_again(servers, capsys):
    servers.rotten = {PRICES["path"]}
    better = {**PRICES, "path": f"prices/{KEY}/ingestion-3-1"}
    servers.meanwhile = lambda: servers.events.append(event("prices", better, moment=3))
    assert verify(KEY, None) == 0
    assert better["path"] in capsys.readouterr().out


@pytest.mark.parametrize(
    "posted",
    [
        {"files": {}},
        {"path": "../../etc", "sha256": "0a" * 32},
        {"path": 7, "sha256": None},
        {**SCORES, "inputs": {"prices": {}}},
        {**SCORES, "inputs": {"prices": {"path": "x" * 5000}}},
    ],
)
def test_a_version_that_a_person_has_posted_is_named_and_the_others_are_verified(servers, capsys, posted):
    servers.events[-1] = event("scores", posted)
    assert verify(KEY, None) == 1
    said = capsys.readouterr().out
    assert "names a version that cannot exist" in said
    assert (PRICES["path"], PRICES["sha256"]) in servers.verified
    assert len(said) < 3000


def test_a_challengers_grades_are_verified_and_need_not_be_shown(servers, monkeypatch, tmp_path, capsys):
    (tmp_path / "markets.toml").write_text("[default.variants.rival]\nsentiment_weight = 0.3\n")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    rival = {"path": f"grades/{KEY}/grading-2-1", "sha256": "0e" * 32, "inputs": {"prices": REPLACED}}
    servers.events += [event("grades", GRADES), event("rival_grades", rival)]
    assert verify(KEY, None) == 0
    assert servers.shown == [GRADES["path"]]
    assert f"{rival['path']}  (rival_grades, published)" in capsys.readouterr().out
