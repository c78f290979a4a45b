"""Why a grade is what it is, and why it has moved: parts that add up."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from apps.api.grading import composite
from apps.api.history.answers import Change
from apps.api.history.contributions import why
from apps.api.history.moves import moves
from apps.api.history.rows import PARTS, SCHEMA
from apps.scorer.features import FEATURES
from apps.scorer.ranking import ranked
from tests.unit.apps.support.batch_files import AS_OF
from tests.unit.apps.support.ranked_days import FIRST, SIGNALS

CHANGES = TypeAdapter(list[Change])
NOW = datetime(2026, 11, 23, 6, 20, tzinfo=UTC)
SIGNAL = st.one_of(st.none(), st.floats(-10, 10))
SYMBOLS = st.sampled_from([f"S{number}" for number in range(12)])
RAWS = st.dictionaries(SYMBOLS, st.tuples(SIGNAL, SIGNAL, SIGNAL, SIGNAL), min_size=1)
SENTIMENT = st.dictionaries(SYMBOLS, st.floats(-1, 1))


def graded(signals, sentiment=None, weight: float = 0.2) -> pl.DataFrame:
    """Rows of the record, as the scorer and the API make them."""
    raw = pl.DataFrame(
        [(symbol, *values) for symbol, values in signals.items()],
        {"symbol": pl.String, **dict.fromkeys(FEATURES, pl.Float64)},
        orient="row",
    )
    rated = pl.DataFrame(
        list((sentiment or {}).items()), {"symbol": pl.String, "sentiment": pl.Float64}, orient="row"
    )
    named = raw.select("symbol", *(pl.col(name).alias(f"{name}_signal") for name in FEATURES))
    rows = ranked(raw).join(rated, on="symbol", how="left").join(named, on="symbol")
    rows = rows.with_columns(composite(weight)).sort(["composite", "symbol"], descending=[True, False])
    rows = rows.with_row_index("rank", 1).with_columns(sentiment_weight=weight, grade=pl.lit("C"))
    missing = {name: pl.lit(None) for name in SCHEMA if name not in rows.columns}
    about = {
        "batch": pl.lit(FIRST),
        "as_of": pl.lit(AS_OF),
        "graded_at": pl.lit(NOW),
        "shown_at": pl.lit(NOW),
    }
    return rows.with_columns(**(missing | about)).select(SCHEMA.names()).cast(dict(SCHEMA))


def changes_of(rows: pl.DataFrame) -> list[Change]:
    """The changes, as the API answers them."""
    return CHANGES.validate_json(rows.write_json())


@settings(deadline=None, max_examples=50)
@given(RAWS, SENTIMENT, st.floats(0, 1))
def test_contributions_add_up_to_the_composite(signals, sentiment, weight) -> None:
    rows = graded(signals, sentiment, weight)
    for number in range(rows.height):
        found = why(rows[number])
        assert found.base + sum(part.contribution for part in found.parts) == pytest.approx(found.composite)
        assert [part.part for part in found.parts] == [*PARTS, "sentiment"]


def test_why_in_words() -> None:
    rows = graded(SIGNALS, {"AAPL": 0.5})
    apple = why(rows.filter(pl.col("symbol") == "AAPL"))
    assert [(part.percentile, part.weight) for part in apple.parts] == [
        (87.5, 0.2667),
        (pytest.approx(100 / 6), 0.2667),
        (87.5, 0.2667),
        (75.0, 0.2),
    ]
    assert "12-month return without the last month +40.0%" in apple.parts[0].text
    assert "(0) are rated +0.50" in apple.parts[3].text
    assert apple.text.startswith("50 is neutral; momentum +10.")
    gamble = why(rows.filter(pl.col("symbol") == "PG"))
    assert (gamble.parts[1].weight, gamble.parts[1].contribution) == (0, 0)
    assert "too short" in gamble.parts[1].text


def test_a_scorer_with_other_parts() -> None:
    rows = graded(SIGNALS).with_columns(composite=pl.col("composite") + 5)
    found = why(rows[0])
    assert (found.parts[-1].part, found.parts[-1].contribution) == ("other", pytest.approx(5, abs=0.02))
    assert found.base + sum(part.contribution for part in found.parts) == pytest.approx(found.composite)


@settings(deadline=None, max_examples=50)
@given(RAWS, RAWS, SENTIMENT, SENTIMENT)
def test_the_parts_of_a_move_add_up(before, after, rated, rated_later) -> None:
    old, new = graded(before, rated), graded(after, rated_later)
    for change in changes_of(moves(old, new)):
        if change.parts is None:
            assert change.status != "stayed"
            continue
        parts = change.parts.model_dump()
        assert sum(parts.values()) == pytest.approx(change.move)
        assert change.move == pytest.approx(change.after.composite - change.before.composite)
        assert parts["other"] == 0
        if set(old["symbol"]) == set(new["symbol"]):
            assert parts["universe"] == pytest.approx(0, abs=0.03)  # what rounding has left


def test_a_move_by_a_newcomer_alone_is_of_the_universe() -> None:
    before, after = graded(SIGNALS), graded(SIGNALS | {"NEW": (0.3, 0.25, -0.012, 0.5)})
    changes = {change.symbol: change for change in changes_of(moves(before, after))}
    assert changes["NEW"].status == "entered"
    for symbol in SIGNALS:
        parts = changes[symbol].parts
        assert parts.universe == pytest.approx(changes[symbol].move, abs=0.03)
    assert any(changes[symbol].move for symbol in SIGNALS)
    back = {change.symbol: change.status for change in changes_of(moves(after, before))}
    assert back["NEW"] == "left"


def test_a_move_by_headlines_alone_is_of_the_sentiment() -> None:
    (first, *others) = changes_of(moves(graded(SIGNALS), graded(SIGNALS, {"KO": 1.0})))
    assert (first.symbol, first.move, first.parts.sentiment) == ("KO", 10.0, 10.0)
    assert first.rank_change >= 0
    assert {change.move for change in others} == {0.0}


def test_a_move_within_neutral_sectors_is_not_of_the_universe() -> None:
    sectors = pl.when(pl.col("symbol").is_in(["AAPL", "KO"])).then(pl.lit("Tech")).alias("peers")
    frames = [graded(SIGNALS).with_columns(sectors, momentum=pl.lit(50.0)) for _ in range(2)]
    assert {change.parts.universe for change in changes_of(moves(*frames))} == {0.0}
