"""When `rankalpha plan` refuses, and with which way out; what it finds is in tests/together/test_plan.py."""

import pytest

from rankalpha.commands.plan import plan
from rankalpha.commands.refusals import REFUSALS
from rankalpha.runners.process import ProcessRunner

KEY = "2026-11-20T06:00:00"
COMMAND = ("scorer", "SCORER_COMMAND=python main.py")


def version(folder, stage, **inputs):
    return {"path": f"{folder}/{KEY}/{stage}-0a1b2c3d-1", "sha256": "0" * 64, "inputs": inputs}


PRICES = version("prices", "ingestion")
SCORES, SENTIMENT = version("prices", "scorer"), version("company_reports", "sentiment")
GRADES = version("grades", "grading", prices=PRICES, scores=SCORES, sentiment=SENTIMENT)


@pytest.fixture
def served(app_dir, serving, tmp_path, monkeypatch):
    """Airflow with a graded batch, and an API that offers nothing of a plan; both can be changed."""
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    (tmp_path / "markets.toml").write_text("[default]\n")
    event = {"name": "grades", "partition_key": KEY, "extra": {"version": GRADES}}
    answers = {
        "/api/v2/assets/events": {"asset_events": [event]},
        "/api/v2/variables": {"variables": []},
        "/api/v1/verify": {"ok": True, "problems": []},
    }

    def answer(request):
        return (200, answers[request.path]) if request.path in answers else (404, {"detail": "Not Found"})

    with serving(answer):
        yield answers


def planned(*stage_settings, images=(), weight=None):
    return plan(None, images, stage_settings, weight, 10, None, as_json=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"images": [("scorer", "rankalpha_scorer:2")]},
            "without an image; .* --setting scorer=SCORER_COMMAND=",
        ),
        ({"images": [("sentiment", "other")]}, "stage sentiment reads more than its inputs"),
        ({"images": [("ingestion", "other")]}, "images.ingestion: not a stage of a variant; expected scorer"),
        ({"weight": 0.3}, "the API does not offer what a plan needs"),
    ],
)
def test_what_would_mislead_is_refused(served, arguments, told):
    with pytest.raises(REFUSALS, match=told):
        planned(**arguments)


def test_an_api_that_offers_no_plan_is_noticed_before_a_stage_runs(served):
    with pytest.raises(REFUSALS, match="the API does not offer what a plan needs"):
        planned(COMMAND)
    assert ProcessRunner().containers({}) == []


@pytest.mark.parametrize(
    ("table", "name"), [("", "champion"), ("[default.training]\n", KEY)], ids=["trains none", "not published"]
)
def test_a_name_of_no_model_is_refused_because_the_formula_would_score(served, tmp_path, table, name):
    (tmp_path / "markets.toml").write_text(f"[default]\n{table}")
    served["/api/v2/assets"] = {"assets": [{"name": "models", "id": 7}]}
    with pytest.raises(
        REFUSALS, match=f"SCORER_MODEL='{name}' gives scorer no model, .* published in models"
    ):
        planned(("scorer", f"SCORER_MODEL={name}"))
    assert ProcessRunner().containers({}) == []


def test_a_batch_without_versions_is_left_out(served):
    (event,) = served["/api/v2/assets/events"]["asset_events"]
    event["extra"] = {"version": {**GRADES, "inputs": {"scores": SCORES, "sentiment": SENTIMENT}}}
    with pytest.raises(REFUSALS, match=f"no batch can be planned: {KEY}: its prices have no version"):
        planned(COMMAND)
    event["extra"] = {}
    with pytest.raises(REFUSALS, match="its grades have no version"):
        planned(weight=0.3)
    served["/api/v2/assets/events"]["asset_events"] = []
    with pytest.raises(REFUSALS, match="no batch is published in grades yet"):
        planned(weight=0.3)


def test_stage_and_service_must_take_part_in_versions(served, profile_dir):
    (profile_dir / "scorer.env").write_text("SCORER_VERSIONS=false\n")
    with pytest.raises(REFUSALS, match="a variant needs a stage that takes part in versions"):
        planned(COMMAND)
    (profile_dir / "api.env").write_text("GRADING_METHOD=GET\n")
    with pytest.raises(REFUSALS, match="a variant needs a service that takes part in versions"):
        planned(weight=0.3)
