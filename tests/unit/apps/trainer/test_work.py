"""The trainer stage: prices in, a model and its card out, and what its contract says of them."""

import json
import os
import shutil

import polars as pl
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer
from skops.io import dump

from apps.common.manifest import seal
from apps.common.stage import BadData, Batch
from apps.evaluation.backtest import past_signals
from apps.scorer.features import FEATURES
from apps.scorer.model import Unusable, read_model
from apps.trainer import work
from tests.unit.apps.support.trained import blocked, closes

KEY = "2026-11-22T06:00:00"


@pytest.fixture
def trained(tmp_path):
    """Train on closes; return the result and the folder of the model."""

    def run(prices):
        batch = Batch(key=KEY, data_dir=tmp_path)
        batch.folder("prices").mkdir(parents=True, exist_ok=True)
        prices.write_parquet(batch.folder("prices") / "prices.parquet")
        batch.folder("models").mkdir(parents=True, exist_ok=True)
        return work.train(batch), batch.folder("models")

    return run


@pytest.fixture(scope="module")
def planted():
    """Closes in which whatever has risen falls."""
    return closes(months=48, strength=0.15)


def test_a_planted_signal_is_learned_and_its_card_says_how(trained, planted):
    result, folder = trained(planted)
    assert blocked(result.details) == set()
    assert result.details["ic"] > 0.5
    assert result.details["formula_ic"] < 0, "it ranks the other way round"
    card = json.loads((folder / "card.json").read_text())
    assert (card["batch"], card["features"], card["horizon"], card["seed"]) == (KEY, list(FEATURES), 21, 1)
    assert min(card["weights"], key=card["weights"].get) == "momentum"
    assert {"python", "scikit-learn", "skops", "numpy", "polars"} == card["libraries"].keys()
    assert list(card["data"]) == [f"prices/{KEY}/prices.parquet"]
    assert len(card["folds"]) == result.details["folds"] == 5
    assert all(fold["ic"] > 0.3 for fold in card["folds"])
    assert result.outputs == [f"models/{KEY}/model.skops", f"models/{KEY}/card.json"]


def test_the_same_prices_give_the_same_model(trained, planted):
    (first, folder) = trained(planted)
    weights = read_model(folder / "model.skops").weights
    (second, _) = trained(planted)
    assert second.details == first.details
    assert read_model(folder / "model.skops").weights == weights


def test_a_feature_that_looks_ahead_is_blocked(trained, planted, monkeypatch):
    def peeking(closes, *more):
        """Let momentum be the return of the month that follows, as far as it is in the closes."""
        for number, signals in past_signals(closes, *more):
            now, then = (
                closes.filter(pl.col("s") == s).select("symbol", "close") for s in (number, number + 21)
            )
            gain = now.join(then, "symbol", how="left").select(
                "symbol", momentum=pl.col("close_right") / pl.col("close")
            )
            yield number, signals.drop("momentum").join(gain, "symbol", maintain_order="left")

    monkeypatch.setattr(work, "past_signals", peeking)
    details = trained(planted)[0].details
    assert details["ic"] > 0.9
    assert blocked(details) == {"features that look ahead"}


def test_the_champion_is_read_from_its_version_and_its_card_says_what_it_knows(
    trained, planted, monkeypatch, tmp_path
):
    days = planted["date"].unique().sort()
    trained(planted.filter(pl.col("date") <= days[-8 * 21]))
    path = "models/2026-03-01T06:00:00/trainer-1-1"
    shutil.copytree(tmp_path / "models" / KEY, tmp_path / path)
    sealed = seal(tmp_path / path, path, "trainer", {}, [])
    monkeypatch.setenv("RANKALPHA_INPUT_MODELS", str(tmp_path / path))
    monkeypatch.setenv("RANKALPHA_INPUT_MODELS_SHA256", sealed.sha256)
    result, folder = trained(planted)
    champion = json.loads((folder / "card.json").read_text())["champion"]
    assert (champion["version"], champion["sessions"]) == (path, 7)
    assert champion["ic"] > 0.5, "it has learned the same"
    assert abs(champion["lead"]) < 0.1
    assert {name: result.details[name] for name in ("champion_ic", "lead")} == {
        "champion_ic": champion["ic"],
        "lead": champion["lead"],
    }
    (tmp_path / path / "card.json").write_text("{}")
    assert "lead" not in trained(planted)[0].details, "it is not as it was published"


def test_too_little_history_is_refused(trained):
    with pytest.raises(BadData, match="fewer than 30 sessions, 21 apart"):
        trained(closes(months=20, strength=0.1))
    with pytest.raises(BadData, match="fewer than 30 sessions"):
        trained(closes(months=20, strength=0.1).head(100))


def test_a_poisoned_file_is_refused_and_runs_nothing(tmp_path):
    path, harm = tmp_path / "model.skops", tmp_path / "harm"
    dump(FunctionTransformer(func=os.system, kw_args={"command": f"touch {harm}"}), path)
    with pytest.raises(Unusable, match="types that skops does not trust: posix"):
        read_model(path)
    assert not harm.exists()


def test_what_is_no_model_of_these_features_is_refused(tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(b"\x80\x04K\x01.")  # a pickle
    with pytest.raises(Unusable, match="is not a model of skops"):
        read_model(path)
    dump(Ridge().fit([[1.0], [2.0]], [1.0, 2.0]), path)
    with pytest.raises(Unusable, match="is not a model of momentum, value"):
        read_model(path)
    with pytest.raises(Unusable):
        read_model(tmp_path / "nothing")
