import json

import pytest

from rankalpha.stages.result import MAX_BYTES, parse_result
from rankalpha.stages.storable import ResultError
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT


def parse(**parts: object) -> dict[str, object] | None:
    return parse_result(json.dumps({**RESULT, **parts}).encode(), KEY)


@pytest.mark.parametrize("raw", [b"", b"  \n"])
def test_no_result(raw):
    assert parse_result(raw, KEY) is None


def test_a_whole_result():
    whole = {
        "stage": "demo",
        "batch": KEY,
        "checksum": "sha256:" + "0a" * 32,
        "outputs": ["prices/x.parquet"],
        "details": {"left_out": 1, "source": "sample", "complete": True, "note": None, "share": 0.5},
    }
    assert parse(**whole) == {**RESULT, **whole}


def test_keys_that_the_schema_does_not_know_are_kept():
    assert parse(engine="x") == {**RESULT, "engine": "x"}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("rows", -1),
        ("rows", "3"),
        ("rows", 1.5),
        ("rows", True),
        ("symbols", -1),
        ("symbols", None),
        ("as_of", "yesterday"),
        ("as_of", "2025-02-30"),
        ("as_of", 20251119),
        ("checksum", "md5:00"),
        ("outputs", "x"),
        ("outputs", [1]),
        ("details", []),
        ("details", {"a": {}}),
        ("batch", 7),
        ("stage", 1),
    ],
)
def test_what_breaks_the_schema_is_named(part, value):
    with pytest.raises(ResultError, match=rf"breaks its schema: \$\.{part}"):
        parse(**{part: value})


@pytest.mark.parametrize("part", RESULT)
def test_what_is_missing_is_named(part):
    raw = json.dumps({key: value for key, value in RESULT.items() if key != part}).encode()
    with pytest.raises(ResultError, match=f"'{part}' is a required property"):
        parse_result(raw, KEY)


def test_every_problem_is_named():
    with pytest.raises(ResultError, match=r"\$\.rows.*; \$\.symbols"):
        parse(rows=-1, symbols=-1)


@pytest.mark.parametrize("raw", [b"[]", b"3", b"null", b'"text"'])
def test_what_is_no_object(raw):
    with pytest.raises(ResultError, match="is not of type 'object'"):
        parse_result(raw, KEY)


def test_another_batch():
    with pytest.raises(ResultError, match=f"is for batch '2025-11-19T06:00:00', not for {KEY}"):
        parse(batch="2025-11-19T06:00:00")


def test_the_size_is_bounded():
    filled = json.dumps(RESULT).encode().ljust(MAX_BYTES)
    assert parse_result(filled, KEY) == RESULT
    with pytest.raises(ResultError, match=f"{MAX_BYTES + 1} bytes; at most {MAX_BYTES}"):
        parse_result(filled + b" ", KEY)
