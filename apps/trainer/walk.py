"""How good a model is on sessions that it was not fitted to: folds that walk forward in time.

Each fold has a model that is fitted to all sessions before it, but for an embargo: the last return that the
model knows has ended a whole horizon before the fold begins (López de Prado, Advances in Financial Machine
Learning, 2018, chapter 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from apps.evaluation.measures import rank_correlation
from apps.scorer.features import FEATURES
from apps.scorer.model import Model
from apps.trainer.samples import FORMULA, TARGET

FOLDS = 5
FIRST = 0.4  # share of the sessions that the first fold is fitted to
LEAST_SESSIONS = 30  # with a return, so that each fold has some
SHUFFLES = 20
PREDICTED, RIVAL = "predicted", "rival"
LEAST_COMPARED = 6  # sessions; fewer say nothing
TINY = 1e-6  # the error of what is always the same


@dataclass(frozen=True)
class Fold:
    """The sessions `first` to `last` and mean rank ICs there: of the model, and of the scorer's formula."""

    first: int
    last: int
    sessions: int
    ic: float
    formula_ic: float


@dataclass(frozen=True)
class Walk:
    """All folds together: `t` is the mean rank IC in standard errors.

    `shuffled_ic` is that of models fitted to returns of other sessions, and `shuffled_z` by how much that is
    outside of noise: whatever such a model knows is not of its time. `against` compares it with a rival.
    """

    folds: tuple[Fold, ...]
    ic: float
    t: float
    formula_ic: float
    shuffled_ic: float
    shuffled_z: float
    against: "Against | None" = None


@dataclass(frozen=True)
class Rival:
    """Another model, the first session that it was not fitted to, and where it lies."""

    model: Model
    since: int
    path: str


@dataclass(frozen=True)
class Against:
    """How many sessions neither model was fitted to, the rival's mean rank IC there, and the lead on it."""

    sessions: int
    ic: float
    lead: float


def model() -> Ridge:
    """Return a model that is not fitted yet: a weight for each feature, found without chance."""
    return Ridge(alpha=1.0, solver="cholesky")


def fitted(table: pl.DataFrame) -> Ridge:
    """Return a model fitted to the rows of `table` that have a target."""
    known = table.drop_nulls(TARGET)
    return model().fit(inputs(known), known[TARGET].to_numpy())


def inputs(table: pl.DataFrame) -> NDArray[np.float64]:
    """Return the features as scikit-learn takes them."""
    return table.select(FEATURES).to_numpy()


def walked(table: pl.DataFrame, horizon: int, seed: int, rival: Rival | None = None) -> Walk | None:
    """Return how good models are that are fitted to `table`; None when there are too few sessions.

    `table` is what `samples` returns.
    """
    known = table.drop_nulls(TARGET)
    sessions = known["s"].unique().sort().to_list()
    if len(sessions) < LEAST_SESSIONS:
        return None
    chance = np.random.default_rng(seed)
    folds, ics, shuffled = [], [], []
    for block in _blocks(sessions):
        before = known.filter(pl.col("s") + 2 * horizon <= block[0])
        tested = known.filter(pl.col("s").is_in(block))
        others = model().fit(inputs(before), _of_other_sessions(before, chance))
        predicted = tested.with_columns(
            pl.Series(PREDICTED, fitted(before).predict(inputs(tested))),
            *(pl.Series(f"other_{at}", each) for at, each in enumerate(others.predict(inputs(tested)).T)),
            *([rival.model.predicted(tested).alias(RIVAL)] if rival else []),
        )
        found = _ics(predicted)
        folds.append(Fold(block[0], block[-1], len(block), _mean(found[PREDICTED]), _mean(found[FORMULA])))
        ics.append(found)
        shuffled.append([_mean(found[f"other_{at}"]) for at in range(SHUFFLES)])
    tested = pl.concat(ics)
    every = tested[PREDICTED].drop_nulls()
    weights = [fold.sessions for fold in folds]
    means = np.average(shuffled, axis=0, weights=weights)
    error = _error(every.to_numpy())
    noise = hypot(error, _error(means))
    return Walk(
        folds=tuple(folds),
        ic=_mean(every),
        t=_mean(every) / (error or TINY),
        formula_ic=float(np.average([fold.formula_ic for fold in folds], weights=weights)),
        shuffled_ic=float(means.mean()),
        shuffled_z=float(means.mean()) / (noise or TINY),
        against=_against(tested.filter(pl.col("s") >= rival.since)) if rival else None,
    )


def _blocks(sessions: list[int]) -> Iterator[list[int]]:
    """Yield the sessions of each fold."""
    first = int(len(sessions) * FIRST)
    for block in np.array_split(sessions[first:], FOLDS):
        yield block.tolist()


def _ics(predicted: pl.DataFrame) -> pl.DataFrame:
    """Return the rank IC of the formula and of each prediction in each session."""
    names = [FORMULA, PREDICTED, RIVAL, *(f"other_{at}" for at in range(SHUFFLES))]
    correlations = {name: rank_correlation(name, TARGET) for name in names if name in predicted.columns}
    return predicted.group_by("s", maintain_order=True).agg(**correlations)


def _against(ics: pl.DataFrame) -> Against | None:
    """Return the comparison by the sessions that both predict; None when they are few."""
    both = ics.drop_nulls([PREDICTED, RIVAL])
    if both.height < LEAST_COMPARED:
        return None
    rival = _mean(both[RIVAL])
    return Against(both.height, rival, _mean(both[PREDICTED]) - rival)


def _of_other_sessions(table: pl.DataFrame, chance: np.random.Generator) -> NDArray[np.float64]:
    """Return for each row its symbol's targets of other sessions, a column for each of SHUFFLES.

    All rows of a session get those of the same session. Where a symbol has none it is 0, the middle.
    """
    sessions, of_session = np.unique(table["s"].to_numpy(), return_inverse=True)
    symbols, of_symbol = np.unique(table["symbol"].to_list(), return_inverse=True)
    targets = np.zeros((len(sessions), len(symbols)))
    targets[of_session, of_symbol] = table[TARGET].to_numpy()
    others = [chance.permutation(len(sessions)) for _ in range(SHUFFLES)]
    return np.column_stack([targets[other[of_session], of_symbol] for other in others])


def _mean(values: pl.Series) -> float:
    found = values.mean()
    return float(found) if isinstance(found, float) else 0.0  # without an order there is no correlation


def _error(values: NDArray[np.float64]) -> float:
    """Return the standard error of a mean of values that do not depend on each other."""
    return float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
