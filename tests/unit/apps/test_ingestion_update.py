"""How new rows join the known ones: incremental, revised, rescaled, dropped."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.stage import BadData
from apps.ingestion import prices
from apps.ingestion.prices import SCHEMA, checked, update

DAY = date(2026, 11, 2)
LAST = date(2026, 12, 31)


def table(**closes: Sequence[float | None]) -> pl.DataFrame:
    """Closes of consecutive days from DAY; None leaves a day out."""
    rows = [
        (symbol, DAY + timedelta(days=day), close)
        for symbol, values in sorted(closes.items())
        for day, close in enumerate(values)
        if close is not None
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


class TableSource:
    """A source that holds a table and notes what it was asked."""

    name = "table"
    replayed = False

    def __init__(self, **closes: Sequence[float | None]) -> None:
        self.table = table(**closes)
        self.symbols = sorted(closes)
        self.asked: list[tuple[list[str], dict[str, date]]] = []

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> pl.DataFrame:
        self.asked.append((list(symbols), dict(since)))
        parts = [
            self.table.filter(pl.col("symbol") == symbol, pl.col("date") >= since.get(symbol, DAY))
            for symbol in reversed(symbols)
        ]
        return pl.concat(parts)


def test_a_first_load_asks_for_everything():
    source = TableSource(B=[1.0, 2.0], A=[3.0])
    got = update(source, table().lazy(), LAST)
    assert got.prices.equals(table(A=[3.0], B=[1.0, 2.0]))
    assert got.new_rows == 3
    assert source.asked == [(["A", "B"], {})]


def test_only_the_last_known_day_and_later_are_asked_for():
    source = TableSource(A=[1.0, 2.0, 3.0], B=[5.0])
    got = update(source, table(A=[1.0, 2.0]).lazy(), LAST)
    assert source.asked == [(["A", "B"], {"A": DAY + timedelta(days=1)})]
    assert got.prices.equals(table(A=[1.0, 2.0, 3.0], B=[5.0]))
    assert got.new_rows == 2


def test_rounding_is_no_revision():
    source = TableSource(A=[1.0, 2.0 * (1 + 1e-7)])
    got = update(source, table(A=[1.0, 2.0]).lazy(), LAST)
    assert got.prices.equals(table(A=[1.0, 2.0]))
    assert got.new_rows == 0


def test_a_rescaled_symbol_is_replaced_as_a_whole_and_the_others_are_not_asked_again():
    source = TableSource(A=[50.0, 51.0, 52.0], B=[1.0, 2.0])  # a 2:1 split of A
    got = update(source, table(A=[100.0, 102.0], B=[1.0, 2.0]).lazy(), LAST)
    assert source.asked[1:] == [(["A"], {})]
    assert got.prices.equals(source.table)
    assert got.new_rows == 3


def test_a_known_day_that_is_gone_makes_the_history_suspect():
    source = TableSource(A=[5.0, None, 6.0])
    got = update(source, table(A=[1.0, 2.0]).lazy(), LAST)
    assert got.prices.equals(table(A=[5.0, None, 6.0]))


def test_a_symbol_on_which_the_source_is_silent_keeps_its_history():
    source = TableSource(A=[1.0, 2.0], B=[])
    got = update(source, table(A=[1.0], B=[7.0, 8.0]).lazy(), LAST)
    assert got.prices.equals(table(A=[1.0, 2.0], B=[7.0, 8.0]))


def test_a_symbol_no_longer_covered_is_dropped():
    got = update(TableSource(A=[1.0]), table(A=[1.0], B=[2.0]).lazy(), LAST)
    assert got.prices.equals(table(A=[1.0]))


def test_nothing_after_the_day_of_the_batch():
    got = update(TableSource(A=[1.0, 2.0, 3.0]), table().lazy(), DAY + timedelta(days=1))
    assert got.prices.equals(table(A=[1.0, 2.0]))
    with pytest.raises(BadData, match=r"source table: no prices at all up to the day of the batch"):
        update(TableSource(A=[1.0]), table().lazy(), DAY - timedelta(days=1))


def test_a_close_of_zero_from_the_source_is_bad_data():
    with pytest.raises(BadData, match=r"source table: symbol 'A' has a senseless day or close .close 0"):
        update(TableSource(A=[1.0, 0.0]), table().lazy(), LAST)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_order_is_checked_across_the_cuts(monkeypatch, rows):
    monkeypatch.setattr(prices, "ROWS_AT_ONCE", rows)
    good = table(A=[1.0, 2.0], B=[1.0, 2.0, 3.0])
    assert checked(good, "here") is good
    for bad in (good.reverse(), pl.concat([good, good.tail(1)]), pl.concat([good.tail(3), good.head(2)])):
        with pytest.raises(BadData, match=r"here: .* comes twice or out of order"):
            checked(bad, "here")


def test_other_columns_and_nulls_are_bad_data():
    with pytest.raises(BadData, match=r"here: columns are"):
        checked(table(A=[1.0]).rename({"close": "price"}), "here")
    with pytest.raises(BadData, match="senseless day or close"):
        checked(table(A=[1.0]).with_columns(close=pl.lit(None, pl.Float64)), "here")


CLOSES = st.dictionaries(
    st.sampled_from("ABCDE"), st.lists(st.one_of(st.none(), st.floats(0.01, 1e4)), max_size=6), min_size=1
)


@settings(deadline=None)
@given(history=CLOSES, first=st.integers(0, 6), chunk=st.integers(1, 6))
def test_two_steps_give_what_one_gives(history, first, chunk):
    """Loading up to a day and then the rest equals loading all at once, for any history and chunk size."""
    source = TableSource(**history)
    until = DAY + timedelta(days=first)
    try:
        half = update(source, table().lazy(), until).prices
    except BadData:
        return  # nothing up to that day
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prices, "SYMBOLS_AT_ONCE", chunk)
        rest = update(source, half.lazy(), LAST)
    assert rest.prices.equals(source.table)
    assert rest.new_rows == source.table.height - half.height
