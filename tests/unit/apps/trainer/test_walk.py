"""The walk forward: what it finds, what it takes for noise, and what no model may know."""

import numpy as np
import polars as pl
import pytest

from apps.scorer.features import FEATURES
from apps.trainer import walk
from apps.trainer.samples import FORMULA, TARGET
from apps.trainer.walk import FOLDS, LEAST_SESSIONS, Rival, Walk, walked
from tests.unit.apps.support.trained import blocked

HORIZON, SESSIONS, SYMBOLS = 21, 80, 20


def table(seed, signal=0.0, own=0.0, sessions=SESSIONS):
    """Samples whose target is noise, with so much of a feature, and so much that belongs to the symbol."""
    chance = np.random.default_rng(seed)
    rows = sessions * SYMBOLS
    made = {name: chance.uniform(-0.5, 0.5, rows) for name in (*FEATURES, FORMULA)}
    lasting = np.tile(chance.uniform(-0.5, 0.5, SYMBOLS), sessions)
    made["value"] = made["value"] * (1 - own) + lasting * own
    target = chance.normal(0, 0.3, rows) + signal * made["momentum"] + own * lasting
    return pl.DataFrame(
        {
            "symbol": [f"S{number:02}" for number in range(SYMBOLS)] * sessions,
            "s": np.repeat(np.arange(sessions) * HORIZON, SYMBOLS),
            **made,
            TARGET: target,
        }
    )


def details(found: Walk):
    clean = dict.fromkeys(("look_ahead", "not_finite", "untrusted"), 0)
    figures = {name: getattr(found, name) for name in ("ic", "t", "formula_ic", "shuffled_ic", "shuffled_z")}
    return {**figures, **clean}


def test_a_planted_signal_is_found_in_each_fold_and_passes():
    found = walked(table(1, signal=2.0), HORIZON, 1)
    assert found.ic > 0.5
    assert all(fold.ic > 0.5 > abs(fold.formula_ic) for fold in found.folds)
    assert abs(found.shuffled_z) < 3
    assert blocked(details(found)) == set()


def test_noise_is_blocked_in_95_of_100_seeds():
    passed = [seed for seed in range(100) if not blocked(details(walked(table(seed), HORIZON, seed)))]
    assert len(passed) <= 5


def test_what_a_model_knows_of_its_symbols_whatever_the_day_is_blocked():
    """As one does that was given only those that did well."""
    found = walked(table(1, own=0.5), HORIZON, 1)
    assert found.t > 2
    assert "rank IC on shuffled days" in blocked(details(found))


def test_a_model_that_is_worse_than_the_formula_is_blocked():
    worse = details(walked(table(1, signal=0.5), HORIZON, 1))
    assert blocked(worse) == set()
    assert blocked({**worse, "formula_ic": worse["ic"] + 0.03}) == {"rank IC above the formula's"}


class Of:
    """A model that ranks by one feature, the other way round if `sign` is -1."""

    def __init__(self, feature, sign=1):
        self.feature, self.sign = feature, sign

    def predicted(self, rows):
        return self.sign * rows[self.feature]


def test_a_model_is_compared_with_the_champion_where_neither_was_fitted():
    rows, since = table(1, signal=0.5), (SESSIONS - 10) * HORIZON
    found = {
        name: walked(rows, HORIZON, 1, Rival(champion, since, "models/x")).against
        for name, champion in (("same", Of("momentum")), ("worse", Of("momentum", -1)))
    }
    assert {against.sessions for against in found.values()} == {10}
    assert found["worse"].ic == pytest.approx(-found["same"].ic)
    assert found["worse"].lead > 0.3 > abs(found["same"].lead)
    clean = details(walked(rows, HORIZON, 1))
    assert blocked({**clean, "lead": found["same"].lead}) == set()
    assert blocked({**clean, "lead": -0.03}) == {"rank IC above the champion's"}


def test_a_champion_that_has_seen_almost_everything_is_not_compared():
    champion = Rival(Of("momentum"), (SESSIONS - 5) * HORIZON, "models/x")
    assert walked(table(1), HORIZON, 1, champion).against is None


def test_no_fold_is_fitted_to_a_return_that_ends_within_a_horizon_of_it(monkeypatch):
    seen = []
    fitted = walk.fitted

    def noted(rows):
        seen.append(rows["s"].max())
        return fitted(rows)

    monkeypatch.setattr(walk, "fitted", noted)
    found = walked(table(1), HORIZON, 1)
    assert len(found.folds) == FOLDS
    last = zip(found.folds, seen, strict=True)
    assert [fold.first - newest for fold, newest in last] == [2 * HORIZON] * FOLDS
    assert [fold.first for fold in found.folds[1:]] == [fold.last + HORIZON for fold in found.folds[:-1]]


def test_the_same_seed_gives_the_same_figures():
    assert walked(table(3), HORIZON, 1) == walked(table(3), HORIZON, 1)
    assert walked(table(3), HORIZON, 1).shuffled_ic != walked(table(3), HORIZON, 2).shuffled_ic


@pytest.mark.parametrize("sessions", [1, LEAST_SESSIONS - 1])
def test_too_few_sessions_are_not_judged(sessions):
    assert walked(table(1, sessions=sessions), HORIZON, 1) is None
