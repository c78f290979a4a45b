"""A trained model's file, which skops reads: it makes objects of known types alone, and runs nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from apps.scorer.features import FEATURES

FILE = "model.skops"


class Unusable(Exception):
    """A file holds no model that may be used; the message says why."""


class Model:
    """A model that gives each row of the features a number; the higher, the better."""

    def __init__(self, regressor: Any) -> None:
        """Take a regressor of scikit-learn."""
        self.regressor = regressor

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each feature."""
        return dict(zip(FEATURES, map(float, self.regressor.coef_), strict=True))

    def predicted(self, table: pl.DataFrame) -> pl.Series:
        """Return the prediction for each row."""
        found = self.regressor.predict(table.select(FEATURES).to_numpy())
        return pl.Series("predicted", found.astype("float64"))


def untrusted(path: Path) -> list[str]:
    """Return the types in a model's file that skops does not trust. Raises Unusable."""
    from skops.io import get_untrusted_types  # noqa: PLC0415  heavy, and for a model alone

    try:
        return sorted(map(str, get_untrusted_types(file=path)))
    except Exception as error:  # a damaged file can fail in any way
        raise Unusable(f"{path} is not a model of skops: {error}") from error


def read_model(path: Path) -> Model:
    """Return the model of a file, or raise Unusable; nothing is made before all types are known."""
    from sklearn.linear_model import Ridge  # noqa: PLC0415
    from skops.io import load  # noqa: PLC0415

    if types := untrusted(path):
        raise Unusable(f"{path} holds types that skops does not trust: {', '.join(types)}")
    try:
        regressor = load(path, trusted=[])
    except Exception as error:
        raise Unusable(f"{path} cannot be loaded: {error}") from error
    if not isinstance(regressor, Ridge) or getattr(regressor, "n_features_in_", None) != len(FEATURES):
        raise Unusable(f"{path} is not a model of {', '.join(FEATURES)}")
    return Model(regressor)
