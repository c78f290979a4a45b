"""The measures are those of alphalens, which computes them from the same closes and scores."""

import pandas as pd
import polars as pl
import pytest

from apps.evaluation.measures import by_session, lettered
from apps.evaluation.returns import HORIZONS, with_returns
from tests.unit.apps.support.graded_past import FIRST, graded, walks

SESSIONS = 200
QUANTILES = {"A": 5, "B": 4, "C": 3, "D": 2, "F": 1}


@pytest.fixture(scope="module")
def alphalens():
    """The library; it loads for seconds, which only the process that runs these tests should pay."""
    import alphalens.performance
    import alphalens.utils

    return alphalens


@pytest.fixture(scope="module")
def closes():
    return walks(25, SESSIONS, seed=4)


@pytest.fixture(scope="module")
def scored(closes):
    return with_returns(lettered(graded(closes, seed=5), "score"), closes)


@pytest.fixture(scope="module")
def theirs(alphalens, closes, scored):
    """The factor data of alphalens; the letters are its quantiles."""
    days = pd.date_range(FIRST, periods=SESSIONS, freq="D")
    wide = {
        name[0]: part.sort("s")["close"].to_list()
        for name, part in closes.group_by("symbol", maintain_order=True)
    }
    prices = pd.DataFrame(wide, index=days)
    index = pd.MultiIndex.from_tuples(
        [(days[s], symbol) for s, symbol in scored.select("s", "symbol").iter_rows()],
        names=["date", "asset"],
    )
    factor = pd.Series(scored["score"].to_list(), index=index, name="factor").sort_index()
    quantile = pd.Series([QUANTILES[one] for one in scored["letter"]], index=index).sort_index()
    returns = alphalens.utils.compute_forward_returns(factor, prices, periods=HORIZONS)
    return returns.assign(factor=factor, factor_quantile=quantile)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_rank_ic_and_returns_by_letter(alphalens, scored, theirs, horizon):
    column = f"{horizon}D"
    known = theirs.dropna(subset=[column])
    known = known[[column, "factor", "factor_quantile"]]
    found = by_session(scored, "score", horizon, SESSIONS - 1)
    assert found.height == SESSIONS - horizon
    expected = alphalens.performance.factor_information_coefficient(known)[column].to_list()
    assert found["ic"].to_list() == pytest.approx(expected, abs=1e-9)
    means, _ = alphalens.performance.mean_return_by_quantile(known, by_date=True, demeaned=False)
    for letter, quantile in QUANTILES.items():
        expected = means[column].xs(quantile, level="factor_quantile").sort_index().to_list()
        assert found[letter].to_list() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_turnover(alphalens, scored, theirs, horizon):
    expected = alphalens.performance.quantile_turnover(theirs["factor_quantile"], QUANTILES["A"], horizon)
    found = by_session(scored, "score", horizon, SESSIONS - 1).filter(pl.col("s") >= horizon)
    assert found["turnover"].to_list() == pytest.approx(
        expected.dropna().head(found.height).to_list(), abs=1e-9
    )
