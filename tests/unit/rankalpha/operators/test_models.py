"""Which model a stage is given, and how a person makes one the champion."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput

from datasets.models import MODELS
from rankalpha.operators import approval, models
from rankalpha.operators.approval import ApproveModelOperator, NameChampionOperator
from rankalpha.pipeline.champion import CHAMPION
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.training import Training
from rankalpha.pipeline.versions import VERSIONS_KEY, Version
from rankalpha.settings import SettingsError
from rankalpha.stages import model
from rankalpha.stages.scorer import SCORER

KEY, TRAINED = "2026-11-22T06:00:00", "2026-11-15T06:00:00"
OWN, OTHER = ({"path": f"models/{TRAINED}/trainer-{n}-1", "sha256": f"{n}0" * 32} for n in (1, 2))
RESULT = {
    "rows": 6200,
    "symbols": 20,
    "as_of": "2026-11-13",
    "details": {"ic": 0.0512, "t": 2.4, "formula_ic": 0.01, "shuffled_ic": 0.0, "horizon": 21, "folds": 5},
    "version": OWN,
}


@pytest.fixture
def store(monkeypatch):
    """The state store of the models."""
    found = {VERSIONS_KEY: {TRAINED: OWN}}
    monkeypatch.setattr(models, "_store", lambda _market: found)
    monkeypatch.setattr(
        approval, "published_version", lambda _dataset, key: Version.of(found[VERSIONS_KEY].get(key), key)
    )
    return found


def scorer(name, training=True):
    settings = {"scorer": {"SCORER_MODEL": name}}
    return SCORER.of(Market(settings=settings, training=Training() if training else None))


@pytest.fixture
def profile(profile_dir):
    (profile_dir / "scorer.env").write_text("")


def champion(at):
    return {**OTHER, "batch": TRAINED, "at": at, "by": "ann"}


@pytest.mark.usefixtures("profile")
def test_a_model_is_an_input_like_any_other(store):
    assert models.model_of(scorer(TRAINED), KEY) == {"models": Version.of(OWN, "")}
    assert models.model_of(scorer("champion"), KEY) == {}, "nobody has approved one"
    store[CHAMPION] = [champion("2026-11-20T12:00:00+00:00")]
    assert models.model_of(scorer("champion"), KEY) == {"models": Version.of(OTHER, "")}
    assert models.model_of(scorer(""), KEY) == {}
    assert models.model_of(scorer("2026-11-14T06:00:00"), KEY) == {}, "none is published there"


@pytest.mark.usefixtures("profile")
def test_an_alias_that_moves_changes_nothing_in_a_batch_under_way(store):
    store[CHAMPION] = [champion("2026-11-20T12:00:00+00:00")]
    before = models.model_of(scorer("champion"), KEY)
    store[CHAMPION].append({**OWN, "batch": TRAINED, "at": "2026-11-22T06:00:01+00:00", "by": "ann"})
    assert models.model_of(scorer("champion"), KEY) == before
    assert models.model_of(scorer("champion"), "2026-11-22T06:00:01")["models"] == Version.of(OWN, "")
    assert [list(each) for each in models.in_use(Market())] == [[TRAINED], [TRAINED]]


@pytest.mark.usefixtures("profile")
def test_what_names_no_model_is_refused(store):
    with pytest.raises(SettingsError, match="SCORER_MODEL='best' names no model; expected champion"):
        models.model_of(scorer("best"), KEY)


def test_where_no_market_trains_nothing_is_looked_up(monkeypatch):
    monkeypatch.setattr(models, "_store", None)
    monkeypatch.setattr(model, "Profile", None)
    assert models.model_of(scorer("champion", training=False), KEY) == {}


class Pulled:
    """A task instance with the outputs of the tasks before it."""

    id = "ti"

    def __init__(self, answer=None):
        output = {"batch": TRAINED, "result": RESULT, "container": None, "failed": False}
        self.outputs = {"run_trainer": output, "approve_model": answer}

    def xcom_pull(self, task_ids, key):
        assert key == "return_value"
        return self.outputs[task_ids]


def asset_store(found):
    return SimpleNamespace(get=found.get, set=found.__setitem__)


def context(store, answer=None):
    ti = Pulled(answer)
    stores = {MODELS: asset_store(store)}
    return {"ti": ti, "task_instance": ti, "asset_state_store": stores}


@pytest.fixture
def asked(monkeypatch):
    """What people are asked."""
    found = {}
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **what: found.update(what)
    )
    return found


def test_a_person_sees_the_figures_and_the_champion_of_today(store, asked):
    store[CHAMPION] = [champion("2026-11-20T12:00:00+00:00")]
    task = ApproveModelOperator(task_id="approve_model", dataset=MODELS, days=5)
    with pytest.raises(TaskAwaitingInput):
        task.execute(context(store))
    assert asked["subject"] == f"Should the model of batch {TRAINED} become the champion?"
    assert "| mean rank IC on unseen days | 0.051 |" in asked["body"]
    assert "| the formula's, on the same days | 0.010 |" in asked["body"]
    assert f"Champion now: the model of batch {TRAINED}, approved by ann" in asked["body"]
    assert (asked["options"], asked["defaults"]) == (["Approve", "Reject"], ["Reject"])
    assert task.response_timeout.days == 5


def name_champion(store, answer):
    task = NameChampionOperator(
        task_id="name_champion", dataset=MODELS, approved_by="approve_model", pool="publish"
    )
    task.execute(context(store, answer))


def test_what_is_approved_is_the_champion_on_record(store):
    name_champion(store, {"chosen_options": ["Approve"], "responded_by_user": {"id": "1", "name": "ann"}})
    (entry,) = store[CHAMPION]
    assert {key: entry[key] for key in ("path", "sha256", "batch", "by")} == {
        **OWN,
        "batch": TRAINED,
        "by": "ann",
    }


@pytest.mark.parametrize("answer", [None, {"chosen_options": ["Reject"], "responded_by_user": None}])
def test_without_an_approval_nothing_changes(store, answer):
    with pytest.raises(AirflowFailException, match="nobody has approved the model"):
        name_champion(store, answer)
    assert CHAMPION not in store


def test_what_is_not_published_is_never_the_champion(store, asked):
    """A person may have marked the publishing task as a success, or trained again on the same batch."""
    for versions in ({}, {TRAINED: OTHER}):
        store[VERSIONS_KEY] = versions
        with pytest.raises(AirflowFailException, match="is not the one that is published for batch"):
            name_champion(store, {"chosen_options": ["Approve"], "responded_by_user": None})
        with pytest.raises(AirflowFailException, match="is not the one that is published"):
            ApproveModelOperator(task_id="approve_model", dataset=MODELS, days=5).execute(context(store))
    assert not asked
