"""How new rows join the known ones: incremental, revised, rescaled, refused, dropped."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.stage import BadConfig, BadData
from apps.common.transient import Unavailable
from apps.ingestion import prices
from apps.ingestion.prices import Rules, update
from apps.ingestion.sources import Fetched, Missing, Reason
from apps.ingestion.table import SCHEMA, checked

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
    state = None
    newest = None

    def __init__(self, **closes: Sequence[float | None]) -> None:
        self.table = table(**closes)
        self.symbols = sorted(closes)
        self.asked: list[tuple[list[str], dict[str, date]]] = []
        self.missing: dict[str, Missing] = {}

    def quiet_until(self, day: date, prices: pl.DataFrame, missing: Mapping[str, Missing]) -> date:
        return date.min

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:
        self.asked.append((list(symbols), dict(since)))
        parts = [
            self.table.filter(pl.col("symbol") == symbol, pl.col("date") >= since.get(symbol, DAY))
            for symbol in reversed(symbols)
            if symbol not in self.missing
        ]
        return Fetched(
            pl.concat([table(), *parts]), {s: self.missing[s] for s in symbols if s in self.missing}
        )


def test_a_first_load_asks_for_everything():
    source = TableSource(B=[1.0, 2.0], A=[3.0])
    got = update(source, table().lazy(), LAST)
    assert got.prices.equals(table(A=[3.0], B=[1.0, 2.0]))
    assert got.new_rows == 3
    assert source.asked == [(["A", "B"], {})]


def test_the_newest_known_days_are_asked_for_again():
    source = TableSource(A=[1.0, 2.0, 3.5, 4.0, 5.0], B=[5.0])
    got = update(source, table(A=[1.0, 2.0, 3.0, 4.0]).lazy(), LAST, Rules(overlap=3))
    assert source.asked == [(["A", "B"], {"A": DAY + timedelta(days=1)})]
    assert got.prices.equals(source.table)
    assert (got.new_rows, got.revised) == (3, 1)


def test_a_hole_is_asked_for_again_from_the_day_before_it():
    source = TableSource(A=range(1, 31), B=range(1, 31))
    known = table(A=[None if day == 7 else day + 1 for day in range(29)], B=range(1, 30))
    got = update(source, known.lazy(), LAST, Rules(overlap=2))
    assert source.asked == [(["A", "B"], {"A": DAY + timedelta(days=6), "B": DAY + timedelta(days=27)})]
    assert got.prices.equals(source.table)
    assert got.revised == 1


def test_other_markets_have_other_holidays():
    source = TableSource(**{"A": [1.0] * 9, "B.DE": [1.0, 1.0, None, *[1.0] * 6], "C": [1.0] * 9})
    update(source, source.table.lazy(), LAST, Rules(overlap=1))
    assert set(source.asked[0][1].values()) == {DAY + timedelta(days=8)}


def test_rounding_is_no_revision():
    source = TableSource(A=[1.0, 2.0 * (1 + 1e-7)])
    got = update(source, table(A=[1.0, 2.0]).lazy(), LAST)
    assert got.prices.equals(table(A=[1.0, 2.0]))
    assert got.new_rows == 0


def test_a_rescaled_symbol_is_replaced_as_a_whole_and_the_others_are_not_asked_again():
    source = TableSource(A=[50.0, 51.0, 52.0], B=[1.0, 2.0])  # a 2:1 split of A
    got = update(source, table(A=[100.0, 102.0], B=[1.0, 2.0]).lazy(), LAST)
    assert source.asked[1:] == [(["A"], {"A": DAY})]
    assert got.prices.equals(source.table)
    assert (got.new_rows, got.revised) == (3, 0)
    assert [(one.symbol, one.factor) for one in got.rescaled] == [("A", 0.5)]


@pytest.mark.parametrize("shorter", [[5.0, None, 6.0], [None, 2.5], [None, None, None, 9.0]])
def test_a_replacement_that_would_lose_a_day_is_refused(shorter):
    known = table(A=[1.0, 2.0], B=[1.0, 2.0])
    source = TableSource(A=shorter, B=[1.0, 2.0, 3.0])
    got = update(source, known.lazy(), LAST)
    assert got.prices.equals(table(A=[1.0, 2.0], B=[1.0, 2.0, 3.0]))
    assert got.missing["A"].reason is Reason.SHORTER
    assert "INGESTION_REPLACE=A" in got.missing["A"].message
    accepted = update(source, known.lazy(), LAST, Rules(replace=["A"]))
    assert accepted.prices.equals(source.table)
    assert not accepted.missing


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
    with pytest.raises(BadData, match=r"source table: no prices of A; check it"):
        update(TableSource(A=[1.0]), table().lazy(), DAY - timedelta(days=1))


def test_a_corrected_oldest_day_is_a_revision():
    source = TableSource(A=[1.0, 2.5, 3.0])
    got = update(source, table(A=[1.0, 2.0, 3.0]).lazy(), LAST, Rules(overlap=2))
    assert len(source.asked) == 2
    assert got.prices.equals(source.table)
    assert (got.revised, got.rescaled, got.missing) == (1, [], {})


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_senseless_close_from_the_source_is_that_symbols(bad):
    got = update(TableSource(A=[1.0, bad], B=[1.0, 2.0]), table(A=[1.0]).lazy(), LAST)
    assert got.prices.equals(table(A=[1.0], B=[1.0, 2.0]))
    assert got.missing["A"].reason is Reason.FAULTY
    with pytest.raises(
        BadData, match=r"source table: A has an impossible or repeated row .2026-11-03, close"
    ):
        update(TableSource(A=[1.0, bad]), table().lazy(), LAST)


def silent(reason: Reason, missing: int, total: int) -> TableSource:
    source = TableSource(**{f"S{number}": [1.0, 2.0] for number in range(total)})
    source.missing = {symbol: Missing(reason, f"no {symbol}") for symbol in source.symbols[:missing]}
    return source


@pytest.mark.parametrize(("missing", "total"), [(1, 2), (1, 3), (2, 10), (100, 501)])
def test_some_symbols_without_an_answer_do_not_end_the_batch(missing, total):
    for reason in Reason:
        got = update(silent(reason, missing, total), table().lazy(), LAST)
        assert len(got.missing) == missing
        assert got.prices["symbol"].n_unique() == total - missing


@pytest.mark.parametrize(("missing", "total"), [(1, 1), (2, 2), (2, 3), (3, 10), (101, 501)])
def test_a_source_that_is_out_of_service_is(missing, total):
    with pytest.raises(Unavailable, match=f"Table has no prices for {missing} of {total} symbols .*: no S0"):
        update(silent(Reason.UNAVAILABLE, missing, total), table(S0=[1.0]).lazy(), LAST)


def test_a_source_that_refuses_all_is_a_bad_setting():
    with pytest.raises(BadConfig, match=r"no S0 \(symbols without prices: 2\)"):
        update(silent(Reason.REFUSED, 2, 2), table(S0=[1.0]).lazy(), LAST)


def test_jumps_are_found_where_something_is_new():
    known = table(A=[1.0, 4.0, 4.1], B=[8.0, 7.0])
    got = update(TableSource(A=[1.0, 4.0, 4.1, 4.2], B=[8.0, 7.0, 700.0, 7.0]), known.lazy(), LAST)
    days = [DAY + timedelta(days=day) for day in (2, 3)]
    assert got.jumps.rows() == [("B", days[0], 100.0), ("B", days[1], 0.01)]


@pytest.mark.parametrize(
    ("factor", "jumps"), [(100, True), (0.01, True), (0.25, True), (1.7, False), (0.98, False)]
)
def test_a_history_that_jumps_as_a_whole_without_a_split_is_named(factor, jumps):
    known = table(A=[1.0, 1.1], B=[8.0, 7.0])
    got = update(TableSource(A=[factor, 1.1 * factor], B=[8.0, 7.0, 7.1]), known.lazy(), LAST)
    assert [one.symbol for one in got.rescaled] == ["A"]
    assert got.jumps.rows() == [("A", DAY + timedelta(days=1), pytest.approx(factor))] * jumps


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_order_is_checked_across_the_cuts(monkeypatch, rows):
    monkeypatch.setattr("apps.ingestion.table.ROWS_AT_ONCE", rows)
    good = table(A=[1.0, 2.0], B=[1.0, 2.0, 3.0])
    assert checked(good, "here") is good
    for bad in (good.reverse(), pl.concat([good, good.tail(1)]), pl.concat([good.tail(3), good.head(2)])):
        with pytest.raises(BadData, match=r"here: .* occurs twice or out of order"):
            checked(bad, "here")


def test_other_columns_and_nulls_are_bad_data():
    with pytest.raises(BadData, match=r"here: columns are"):
        checked(table(A=[1.0]).rename({"close": "price"}), "here")
    with pytest.raises(BadData, match="impossible day or close"):
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


def test_what_is_behind_is_asked_for_first(monkeypatch):
    monkeypatch.setattr(prices, "SYMBOLS_AT_ONCE", 2)
    source = TableSource(**{symbol: [1.0, 2.0, 3.0] for symbol in "ABCDEF"})
    known = table(A=[1.0, 2.0], B=[1.0], C=[1.0], E=[1.0, 2.0], F=[1.0, 2.0])
    got = update(source, known.lazy(), LAST)
    assert [symbols for symbols, _ in source.asked] == [["C", "D"], ["A", "B"], ["E", "F"]]
    assert got.prices.equals(source.table)


@pytest.mark.parametrize(("newest", "asked"), [(date(2026, 11, 29), 0), (date(2026, 11, 30), 1)])
def test_who_rests_at_the_weekend_is_not_asked_for(newest, asked):
    """Day 0 is Monday, 2 November, and 29 November a Sunday."""
    closes = [None if day % 7 in (5, 6) else 1.0 for day in range(27)]
    source = TableSource(A=closes)
    source.newest = newest
    got = update(source, source.table.lazy(), LAST, Rules(overlap=1))
    assert len(source.asked) == asked
    assert got.prices.equals(source.table)
    assert got.missing == {}
