"""Scoring by a model: the one that the orchestrator gives, or else the formula, which says so."""

import logging
from dataclasses import dataclass
from typing import Any

import polars as pl

from apps.common.stage import Batch
from apps.common.versions import Changed, given
from apps.scorer.features import features
from apps.scorer.model import FILE, Model, Unusable, read_model
from apps.scorer.ranking import percentile

MODELS = "models"  # the dataset
NOT_GIVEN = "no model is given: none of that name is published, or none was champion when the batch was due"

log = logging.getLogger("scorer")


@dataclass(frozen=True)
class Chosen:
    """The model to score by, and its folder below the root of the data; None: the formula scores."""

    model: Model | None
    path: str = ""

    @property
    def details(self) -> dict[str, Any]:
        """What the result says of it."""
        return {"model": self.path, "without_model": int(self.model is None)}

    def scored(self, scores: pl.DataFrame, signals: pl.DataFrame) -> pl.DataFrame:
        """Return the scores with that of the model: the percentile of its prediction among these symbols."""
        if self.model is None:
            return scores
        table = features(signals)
        predicted = table.select("symbol", self.model.predicted(table))
        found = scores.join(predicted, on="symbol", maintain_order="left")
        return found.with_columns(score=percentile(pl.col("predicted"))).drop("predicted")


def chosen(batch: Batch, signals: pl.DataFrame) -> Chosen:
    """Return the model that the batch is given; without a usable one the formula scores, with a warning."""
    version = given(batch).get(MODELS)
    try:
        if version is None:
            raise Unusable(NOT_GIVEN)
        model = read_model(version.file(FILE))
        if not model.predicted(features(signals)).is_finite().all():
            raise Unusable(f"{version.folder / FILE} makes predictions that are not finite")
    except (Unusable, Changed) as error:
        log.warning("warning: scored by the formula: %s", error)
        return Chosen(None)
    log.info("scored by the model %s", batch.shown(version.folder))
    return Chosen(model, path=batch.shown(version.folder))
