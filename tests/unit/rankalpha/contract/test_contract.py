"""A dataset's contract: each kind of figure, bounds, severities, and what is told of them."""

import json
import logging
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankalpha.contract import Check, Contract, Facts
from rankalpha.contract.contract import failed
from rankalpha.contract.figures import (
    COUNTED,
    NO_CALENDAR,
    NO_EARLIER,
    REPLAYED,
    advance,
    age,
    change,
    ratio,
    reported,
    sessions_behind,
    share,
    surplus,
)
from rankalpha.contract.report import lines, sentence
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT

ROWS = Check(name="rows", figure=reported("rows"), least=1)
NUMBERS = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)
NONSENSE = st.none() | st.booleans() | st.text() | st.lists(st.integers())


def contract(*checks, **details):
    return Contract(
        owner="rankalpha",
        description="demo",
        freshness=timedelta(hours=26),
        checks=checks or (ROWS,),
        details=details,
    )


def facts(earlier=None, **result):
    return Facts(batch=KEY, result=result, earlier=earlier or {})


def outcomes(made, result=RESULT, earlier=None, required=False):
    return {one["name"]: one for one in made.evaluate(KEY, result, earlier or {}, required)}


@given(NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS)
def test_a_check_is_passed_exactly_within_its_bounds(value, least, most):
    if (least is None and most is None) or (least is not None and most is not None and least > most):
        with pytest.raises(ValueError, match="check 'x'"):
            Check(name="x", figure=reported("x"), least=least, most=most)
        return
    check = Check(name="x", figure=reported("x"), least=least, most=most)
    within = (least is None or least <= value) and (most is None or value <= most)
    assert check.outcome(facts(details={"x": value}))["passed"] is within


@given(NONSENSE)
def test_what_is_no_number_is_not_reported_and_passes(value):
    for figure in (reported("x"), share("x", of=("rows",)), change("x"), surplus()):
        check = Check(name="x", figure=figure, least=1e9)
        outcome = check.outcome(facts(rows=1, details={"x": value}, earlier={"x": 3}))
        assert (outcome["value"], outcome["passed"]) == (None, True)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"least": 1}, "at least 1"),
        ({"most": 7, "unit": "days"}, "at most 7 days"),
        ({"most": 1, "unit": "sessions"}, "at most 1 session"),
        ({"least": -1, "most": 0.5}, "-1 to 0.5"),
        ({"least": 0, "most": 0, "unit": "%"}, "exactly 0 %"),
    ],
)
def test_bounds_are_told_in_words(bounds, expected):
    assert Check(name="x", figure=reported("x"), **bounds).expected == expected


def test_a_figure_is_the_results_own_before_that_of_its_details():
    assert reported("rows")(facts(rows=3, details={"rows": 4})) == 3
    assert reported("left")(facts(rows=3, details={"left": 4})) == 4
    assert reported("left")(facts(rows=3)) is None


def test_a_share_is_in_percent():
    missing = share("left_out", "stale", of=("symbols", "left_out", "stale"))
    assert missing(facts(symbols=6, details={"left_out": 1, "stale": 3})) == 40
    assert missing(facts(symbols=0, details={"left_out": 0, "stale": 0})) == 0
    assert missing(facts(symbols=6, details={"left_out": 1})) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_share_of_a_whole_lies_within_0_and_100(part, rest):
    assert 0 <= share("part", of=("part", "rest"))(facts(details={"part": part, "rest": rest})) <= 100


@given(st.dates(date(2000, 1, 1), date(2024, 1, 1)))
def test_age_is_counted_to_the_day_of_the_batch_and_not_to_today(as_of):
    assert age()(facts(as_of=as_of.isoformat())) == (date(2025, 11, 20) - as_of).days


def test_age_after_the_batch_and_of_a_replayed_sample():
    assert age()(facts(as_of="2025-11-22")) == -2
    assert age()(facts(as_of="1990-01-02", details={"replayed": True})) == REPLAYED
    assert age()(facts(as_of="2025-11-19", details={"replayed": False})) == 1
    assert age()(facts()) is None
    assert age()(facts(as_of="yesterday")) is None


def test_sessions_are_counted_where_the_stage_knows_the_exchange():
    late = {"session": "2025-11-19", "sessions_behind": 2}
    assert sessions_behind()(facts(as_of="2025-11-17", details=late)) == 2
    assert age()(facts(as_of="2025-11-17", details=late)) == COUNTED
    without = {"session": None, "sessions_behind": None}
    assert sessions_behind()(facts(as_of="2025-11-17", details=without)) == NO_CALENDAR
    assert age()(facts(as_of="2025-11-17", details=without)) == 3
    assert sessions_behind()(facts(as_of="2025-11-17")) is None
    assert sessions_behind()(facts(as_of="1990-01-02", details={**late, "replayed": True})) == REPLAYED


def test_a_number_for_each_of_others():
    each = ratio("missing_sessions", of="symbols")
    assert each(facts(symbols=4, details={"missing_sessions": 6})) == 1.5
    assert each(facts(symbols=0, details={"missing_sessions": 6})) is None
    assert each(facts(symbols=4, details={"missing_sessions": None})) is None


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_change_is_told_in_percent_of_the_earlier(old, new):
    found = change("rows")(facts(rows=new, earlier={"rows": old}))
    assert found == pytest.approx((new / old - 1) * 100, abs=1e-6)
    assert (found < 0) == (new < old)


@pytest.mark.parametrize("earlier", [{}, {"rows": 0}, {"rows": "many"}])
def test_nothing_is_compared_with_nothing(earlier):
    assert change("rows")(facts(rows=3, earlier=earlier)) == NO_EARLIER
    assert advance()(facts(as_of="2025-11-19", earlier=earlier)) == NO_EARLIER


def test_data_go_forward():
    earlier = {"as_of": "2025-11-18"}
    assert advance()(facts(as_of="2025-11-19", earlier=earlier)) == 1
    assert advance()(facts(as_of="2025-11-14", earlier=earlier)) == -4
    assert advance()(facts(earlier=earlier)) is None


def test_counts_that_do_not_add_up():
    assert surplus()(facts(rows=3, details={"A": 1, "B": 2})) == 0
    assert surplus()(facts(rows=3, details={"A": 1, "B": 1})) == -1
    assert surplus()(facts(rows=3)) is None


def test_every_outcome_is_told_with_value_bounds_and_severity():
    least = Check(name="symbols", figure=reported("symbols"), least=50, severity="warn")
    found = outcomes(contract(ROWS, least))
    assert list(found) == ["result", "details", "rows", "symbols"]
    assert found["rows"] == {
        "name": "rows", "value": 3, "expected": "at least 1", "severity": "block", "passed": True
    }  # fmt: skip
    assert found["symbols"] == {
        "name": "symbols", "value": 2, "expected": "at least 50", "severity": "warn", "passed": False
    }  # fmt: skip
    assert failed(list(found.values()), "warn") == [found["symbols"]]
    assert failed(list(found.values()), "block") == []
    json.dumps(found, allow_nan=False)


def test_a_missing_result_blocks_only_where_one_is_required():
    for required in (False, True):
        found = outcomes(contract(), result=None, required=required)
        assert [one["value"] for one in found.values()] == [None] * 3
        assert failed(list(found.values()), "block") == ([found["result"]] if required else [])
    assert sentence(found["result"]) == (
        "The stage reported no result, but RANKALPHA_REQUIRE_RESULT=true requires one"
    )
    assert not failed(list(outcomes(contract(), required=True).values()), "block")


@pytest.mark.parametrize(
    ("details", "passed"),
    [
        ({"left_out": 3, "other": "text"}, True),
        ({"left_out": "many"}, False),
        ({"left_out": -1}, False),
        ({"left_out": None}, False),
        ({}, True),
    ],
)
def test_details_are_held_to_their_schema(details, passed):
    made = contract(left_out={"type": "integer", "minimum": 0})
    found = outcomes(made, {**RESULT, "details": details})["details"]
    assert (found["passed"], found["severity"]) == (passed, "block")
    assert ("$.left_out" in str(found["value"])) is not passed


def test_the_report_is_aligned_and_loud_where_it_must_be():
    late = Check(name="age of as_of", figure=age(), most=0, unit="days")
    few = Check(name="symbols", figure=reported("symbols"), least=1234, severity="warn")
    other = Check(name="left out", figure=reported("left_out"), most=20, unit="%")
    told = list(lines(list(outcomes(contract(ROWS, late, few, other)).values())))
    table = [text for level, text in told if level == logging.INFO]
    assert table == [
        "check         value         expected             outcome",
        "result        reported      reported or not      passed",
        "details       not reported  valid by its schema  not checked",
        "rows          3             at least 1           passed",
        "age of as_of  1             at most 0 days       BLOCKS",
        "symbols       2             at least 1234        WARNING",
        "left out      not reported  at most 20 %         not checked",
    ]
    assert told[len(table) :] == [
        (logging.ERROR, "Age of as_of is 1; expected at most 0 days."),
        (logging.WARNING, "Symbols is 2; expected at least 1234."),
    ]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_figure_that_is_no_number_fails_and_can_be_stored(value):
    for bounds in ({"least": 0}, {"most": 0}):
        outcome = Check(name="rows", figure=lambda _: value, **bounds).outcome(facts())
        assert (outcome["passed"], outcome["value"]) == (False, str(value))


def test_what_is_wrong_is_a_sentence():
    assert sentence(outcomes(contract(), {**RESULT, "rows": 0})["rows"]) == "Rows is 0; expected at least 1"
    halved = Check(name="change of rows", figure=change("rows"), least=-20, unit="%")
    assert sentence(outcomes(contract(halved), earlier={"rows": 7})["change of rows"]) == (
        "Change of rows is -57.1429 %; expected at least -20 %"
    )


def test_the_datasets_view_shows_the_contract():
    warned = Check(name="symbols", figure=reported("symbols"), least=20, severity="warn")
    assert list(contract(ROWS, warned, left_out={"type": "integer"}).describe().items()) == [
        ("description", "demo"),
        ("owner", "rankalpha"),
        ("fresh for hours", 26.0),
        ("partition", "batch, such as 2026-11-22T06:00:00"),
        ("checks", {"rows": "at least 1 (block)", "symbols": "at least 20 (warn)"}),
    ]


def test_a_check_has_a_name_of_its_own():
    with pytest.raises(ValueError, match="several checks named result, rows"):
        contract(ROWS, ROWS, Check(name="result", figure=reported("x"), least=1))
