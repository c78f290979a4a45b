from datetime import timedelta

import pytest
from rankalpha_helpers import RESULT

from rankalpha.contract import Contract


def contract(**least: int) -> Contract:
    return Contract(owner="rankalpha", freshness=timedelta(hours=26), **least)


def test_a_valid_result():
    assert contract(min_rows=3, min_symbols=2).violations(RESULT) == []


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        ({"min_rows": 4}, ["rows is 3, at least 4 expected"]),
        ({"min_symbols": 3}, ["symbols is 2, at least 3 expected"]),
        (
            {"min_rows": 4, "min_symbols": 3},
            ["rows is 3, at least 4 expected", "symbols is 2, at least 3 expected"],
        ),
    ],
)
def test_each_violation_is_told(least, expected):
    assert contract(**least).violations(RESULT) == expected


def test_an_empty_result_is_never_valid():
    assert len(contract().violations({"rows": 0, "symbols": 0})) == 2
