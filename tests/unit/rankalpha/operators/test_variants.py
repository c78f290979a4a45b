"""What a variant's tasks are given: their own settings, and nothing that could take the champion's place."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.operators import given
from rankalpha.operators.compare import CompareOperator
from rankalpha.operators.service import ServiceOperator
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.versions import VERSIONS_KEY
from rankalpha.settings import SettingsError
from rankalpha.stages.evaluation import EVALUATION
from rankalpha.stages.grading import COMPARE, GRADING_REFRESH
from rankalpha.stages.job import StageJob
from rankalpha.stages.scorer import SCORER
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import TaskInstance, context, published

TABLE = {
    "settings": {"scorer": {"SCORER_STALE_DAYS": "3", "SCORER_MEM": "64m", "OWN": "x"}},
    "sentiment_weight": 0.3,
}
RIVAL = Challenger.of(Market(variants={"rival": TABLE}), "rival")
CHAMPION = Market(**TABLE)  # once it is promoted
VERSIONS = {"RANKALPHA_OUTPUT": "/data/prices/b/scorer-1-1"}
SHA = "0a" * 32
GRADED = {"batch": KEY, "as_of": "2025-11-19", "graded": 3, "distribution": {"A": 1}}
DETAILS = {"rows": 3, "symbols": 3, "as_of": "2025-11-19", "details": {"changed": 1}}

pytestmark = pytest.mark.usefixtures("profile_dir")


@pytest.fixture
def stored(monkeypatch):
    """What is stored of the versions of the datasets."""
    versions = {}
    monkeypatch.setattr(given, "published_versions", lambda dataset: versions.get(dataset, {}))
    return versions


def stores(*names, missing=()):
    datasets = published(**{name: [KEY] for name in names})
    for asset, store in datasets.items():
        path = f"{'grades' if 'grades' in asset.name else asset.name}/{KEY}/{asset.name}-1-1"
        store[VERSIONS_KEY] = {} if asset.name in missing else {KEY: {"path": path, "sha256": SHA}}
    return datasets


def execute(monkeypatch, operator, call, datasets, answer, market=RIVAL):
    ti = TaskInstance()
    with local_server(answer) as (url, requests):
        monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
        task = operator(task_id="t", call=call.of(market), consumes=list(datasets))
        task.execute(context(KEY, ti, asset_state_store=datasets))
    return requests[0].json(), ti.output["result"]


def versioned(request):
    path = f"grades/{KEY}/{request.json()['version']}"
    return 200, {**GRADED, "version": {"path": path, "sha256": SHA, "files": {}, "inputs": {}}}


def test_the_settings_of_a_variant_win_and_are_part_of_what_its_versions_are_made_by(
    monkeypatch, profile_dir
):
    (profile_dir / "scorer.env").write_text("SCORER_STALE_DAYS=5\nSCORER_MEM=1g\n")
    monkeypatch.setenv("AIRFLOW_VAR_SCORER_STALE_DAYS", "7")
    own, champion = (StageJob.of(SCORER.of(market), KEY, {}, VERSIONS) for market in (RIVAL, Market()))
    assert (own.env["SCORER_STALE_DAYS"], own.env["OWN"], own.memory_bytes) == ("3", "x", 64 * 1024**2)
    assert (champion.env["SCORER_STALE_DAYS"], champion.memory_bytes) == ("7", 1024**3)
    assert own.given != champion.given
    assert own.image == champion.image


def test_the_settings_of_a_champion_win_too_and_its_stage_need_not_take_part_in_versions(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_SCORER_STALE_DAYS", "7")
    own = {**TABLE["settings"]["scorer"], "SCORER_VERSIONS": "false"}
    job = StageJob.of(SCORER.of(Market(settings={"scorer": own})), KEY, {}, VERSIONS)
    assert (job.env["SCORER_STALE_DAYS"], job.env["OWN"], job.memory_bytes) == ("3", "x", 64 * 1024**2)
    assert VERSIONS.keys().isdisjoint(job.env)


def test_the_backtest_ranks_as_the_champions_scorer_does(profile_dir):
    (profile_dir / "evaluation.env").write_text("SCORER_STALE_DAYS=5\n")
    assert StageJob.of(EVALUATION.of(CHAMPION), KEY, {}).env["SCORER_STALE_DAYS"] == "3"
    apart = {**TABLE["settings"], "evaluation": {"SCORER_STALE_DAYS": "4"}}
    job = StageJob.of(EVALUATION.of(Market(settings=apart)), KEY, {})
    assert job.env["SCORER_STALE_DAYS"] == "4"
    assert {"SCORER_MEM", "OWN"}.isdisjoint(job.env)


@pytest.mark.parametrize("versions", [None, VERSIONS])
def test_a_stage_without_versions_would_overwrite_the_champions(monkeypatch, versions):
    monkeypatch.setenv("AIRFLOW_VAR_SCORER_VERSIONS", "true" if versions is None else "false")
    with pytest.raises(
        SettingsError, match="a variant needs a stage that takes part in versions; stage scor"
    ):
        StageJob.of(SCORER.of(RIVAL), KEY, {}, versions)
    StageJob.of(SCORER.of(Market()), KEY, {}, versions)


def test_grades_are_asked_for_with_the_variants_weight(monkeypatch, stored):
    """And what the champion, the evaluation and others have published is kept."""
    champions, own = ({KEY: {"path": f"grades/{KEY}/{name}", "sha256": SHA}} for name in "ab")
    stored.update(grades=champions, rival_grades=own)
    datasets = stores("rival_scores", "sentiment")
    said, result = execute(monkeypatch, ServiceOperator, GRADING_REFRESH, datasets, versioned)
    assert said["sentiment_weight"] == 0.3
    assert set(said["inputs"]) == {"scores", "sentiment"}
    assert said["keep"]["versions"] == [f"grades/{KEY}/a", f"grades/{KEY}/b"]
    assert result["version"]["path"] == f"grades/{KEY}/{said['version']}"


def test_the_grades_of_a_champion_are_asked_for_with_its_weight(monkeypatch, stored):
    said, _ = execute(
        monkeypatch, ServiceOperator, GRADING_REFRESH, stores("scores", "sentiment"), versioned, CHAMPION
    )
    assert said["sentiment_weight"] == 0.3


@pytest.mark.parametrize("setting", [{"GRADING_METHOD": "GET"}, {"GRADING_VERSIONS": "false"}])
def test_a_weight_that_the_service_would_not_be_told_is_refused(monkeypatch, stored, setting):
    for key, value in setting.items():
        monkeypatch.setenv(f"AIRFLOW_VAR_{key}", value)
    datasets = stores("scores", "sentiment")
    told = (
        "sentiment_weight of market default needs a service that takes part in versions; set GRADING_METHOD"
    )
    with pytest.raises(AirflowFailException, match=told):
        execute(monkeypatch, ServiceOperator, GRADING_REFRESH, datasets, lambda _: (200, GRADED), CHAMPION)


@pytest.mark.parametrize(
    ("settings", "missing", "answer", "told"),
    [
        ({"GRADING_METHOD": "GET"}, (), versioned, "set GRADING_METHOD=POST and GRADING_VERSIONS=true"),
        ({"GRADING_VERSIONS": "false"}, (), versioned, "a variant needs a service that takes part"),
        ({}, ("sentiment",), versioned, "has no versions of rival_scores and sentiment"),
        ({}, (), lambda _: (200, GRADED), "wrote no version, so it may have shown these grades"),
    ],
)
def test_grades_that_would_be_shown_are_refused(monkeypatch, stored, settings, missing, answer, told):
    for key, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW_VAR_{key}", value)
    datasets = stores("rival_scores", "sentiment", missing=missing)
    with pytest.raises(AirflowFailException, match=told):
        execute(monkeypatch, ServiceOperator, GRADING_REFRESH, datasets, answer)


def test_both_grades_of_a_batch_are_compared(monkeypatch):
    datasets = stores("grades", "rival_grades")
    answer = {"batch": KEY, **DETAILS}
    said, result = execute(monkeypatch, CompareOperator, COMPARE, datasets, lambda _: (200, answer))
    assert said == {
        "batch": KEY,
        "variant": RIVAL.record,
        "champion": {"path": f"grades/{KEY}/grades-1-1", "sha256": SHA},
        "challenger": {"path": f"grades/{KEY}/rival_grades-1-1", "sha256": SHA},
    }
    assert result["details"] == {"changed": 1}


@pytest.mark.parametrize(
    ("missing", "answer", "told"),
    [
        (("grades",), DETAILS, "has no version in grades to compare"),
        ((), {"rows": 3}, "breaks its schema"),
    ],
)
def test_what_cannot_be_compared_fails(monkeypatch, missing, answer, told):
    datasets = stores("grades", "rival_grades", missing=missing)
    with pytest.raises(AirflowFailException, match=told):
        execute(monkeypatch, CompareOperator, COMPARE, datasets, lambda _: (200, {"batch": KEY, **answer}))
