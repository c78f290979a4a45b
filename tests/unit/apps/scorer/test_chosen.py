"""Scoring by a model: the one that is given, or the formula, which the result then says."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256

import polars as pl
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer
from skops.io import dump

from apps.common.manifest import seal
from apps.common.stage import Batch
from apps.scorer.features import FEATURES
from apps.scorer.work import score
from tests.unit.apps.support.stage_process import BATCH
from tests.unit.apps.support.trained import closes

PATH = "models/2026-11-15T06:00:00/trainer-1-1"
AGAINST_MOMENTUM = [-1.0, 0.0, 0.0, 0.0]


def regressor(weights):
    made = Ridge().fit([[0.0] * len(FEATURES), [1.0] * len(FEATURES)], [0.0, 1.0])
    made.coef_[:] = weights
    return made


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """Score a batch by what is in the folder of a model; return the table and the result's details."""
    batch = Batch(key=BATCH, data_dir=tmp_path)
    batch.folder("prices").mkdir(parents=True)
    closes(months=2, strength=0.1).write_parquet(batch.folder("prices") / "prices.parquet")

    def run(model=None, setting="champion", sha=""):
        monkeypatch.setenv("SCORER_MODEL", setting)
        folder = batch.data_dir / PATH
        if model is not None:
            folder.mkdir(parents=True)
            dump(model, folder / "model.skops")
            sealed = seal(folder, PATH, "trainer", {}, [])
            monkeypatch.setenv("RANKALPHA_INPUT_MODELS", str(folder))
            monkeypatch.setenv("RANKALPHA_INPUT_MODELS_SHA256", sealed.sha256)
        if sha:
            monkeypatch.setenv("RANKALPHA_INPUT_MODELS_SHA256", sha)
        details = score(batch).details
        table = pl.read_parquet(batch.folder("prices") / "scores.parquet", glob=False)
        return table, {key: value for key, value in details.items() if "model" in key}

    return run


def test_without_the_setting_nothing_is_said_and_no_model_is_read(scored):
    assert scored(regressor(AGAINST_MOMENTUM), setting="")[1] == {}


def test_without_a_model_no_library_of_models_is_loaded(root):
    look = "import sys, apps.scorer.main; print({'numpy', 'sklearn', 'skops'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", look], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_score_is_the_percentile_of_the_models_prediction(scored):
    formula, _ = scored(setting="")
    table, details = scored(regressor(AGAINST_MOMENTUM))
    assert details == {"model": PATH, "without_model": 0}
    assert table.drop("score").equals(formula.drop("score")), "the parts of the formula stay to be seen"
    assert table["score"].to_list() == pytest.approx([100 - each for each in table["momentum"]])


@pytest.mark.parametrize(
    "model",
    [
        None,
        FunctionTransformer(func=os.system),
        regressor([float("nan"), 0.0, 0.0, 0.0]),
        Ridge().fit([[0.0], [1.0]], [0.0, 1.0]),
    ],
    ids=["missing", "untrusted", "not finite", "of other features"],
)
def test_without_a_usable_model_the_formula_scores_and_the_result_says_so(scored, model, caplog):
    formula, _ = scored(setting="")
    table, details = scored(model)
    assert table.equals(formula)
    assert details == {"model": "", "without_model": 1}
    assert "warning: scored by the formula: " in caplog.text


@pytest.mark.parametrize("fault", ["changed", "another", "file removed", "version removed"])
def test_a_model_that_is_not_what_was_published_is_not_used(scored, tmp_path, caplog, fault):
    formula, _ = scored(setting="")
    scored(regressor(AGAINST_MOMENTUM))
    file = tmp_path / PATH / "model.skops"
    if fault == "changed":
        file.write_bytes(file.read_bytes().replace(b"Ridge", b"Bride"))
    elif fault == "file removed":
        file.unlink()
    elif fault == "version removed":
        shutil.rmtree(file.parent)
    table, details = scored(sha=sha256(b"another manifest").hexdigest() if fault == "another" else "")
    assert table.equals(formula)
    assert details == {"model": "", "without_model": 1}
    assert "warning: scored by the formula: " in caplog.text
