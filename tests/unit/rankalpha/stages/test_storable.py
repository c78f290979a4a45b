import json

import pytest

from rankalpha.stages.storable import MAX_DEPTH, ResultError, ResultNotStored, read_json
from tests.unit.rankalpha.support.demo_stage import RESULT


@pytest.mark.parametrize(
    "raw",
    [b"{", b"rows=3", b"{'rows': 3}", b"{3: 4}", b"{} {}", b"\xff\xfe", b'{"a": "\xe9"}', b'"\xed\xa0\x80"'],
)
def test_what_is_no_json(raw):
    with pytest.raises(ResultError, match=r"is not JSON: .*; write"):
        read_json(raw)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_of_json_is_read(encoding):
    assert read_json(json.dumps(RESULT).encode(encoding)) == RESULT


DEEPEST = '{"a": ' * (MAX_DEPTH - 1) + "{}" + "}" * (MAX_DEPTH - 1)
KEPT = ['"x\\ny"', '"\\ud83d\\ude80"', str(2**63 - 1), str(-(2**63)), "1e18", "[[]]", DEEPEST[6:-1], "null"]


@pytest.mark.parametrize("value", KEPT)
def test_what_can_be_stored_is_kept(value):
    raw = json.dumps(RESULT)[:-1] + f', "more": {value}}}'
    assert read_json(raw.encode()) == {**RESULT, "more": json.loads(value)}


NOT_STORED = [
    (r'{"note": "a\u0000b"}', r"$.details.note holds the character U+0000 (NUL) at position 1; leave it out"),
    (
        r'{"note": "\ud800"}',
        "$.details.note holds U+D800, which is half a character, at position 0; write it",
    ),
    (r'{"note": "\ude80\ud83d"}', "$.details.note holds U+DE80, which is half a character"),
    (r'{"a\u0000": 1}', r'$.details["a\u0000"]: its key holds the character U+0000'),
    (r'{"\ud800": 1}', r'$.details["\ud800"]: its key holds U+D800'),
    (
        '{"n": 9223372036854775808}',
        "$.details.n is 9223372036854775808, an integer of more than 64 bits; write",
    ),
    ('{"n": -9223372036854775809}', "$.details.n is -9223372036854775809, an integer of more than 64 bits"),
    ('{"n": ' + "9" * 5000 + "}", "$.details.n is 9999"),
    ('{"n": NaN}', "$.details.n is NaN, which is not JSON; write another number or null"),
    ('{"n": Infinity}', "$.details.n is Infinity, which is not JSON"),
    ('{"n": -Infinity}', "$.details.n is -Infinity, which is not JSON"),
    ('{"n": 1e999}', "$.details.n is 1e999, which is not a number of 64 bits; write another number or null"),
    ('{"n": 1e308}', "$.details.n is 1e308, which is not a number of 64 bits"),
    ('{"n": 1, "n": 1}', "$.details.n occurs twice; remove one"),
    ('[0, {"a b": [1, "\\u0000"]}]', '$.details[1]["a b"][1] holds the character U+0000'),
    ('{"__classname__": "x"}', "$.details.__classname__: its key is reserved by Airflow; rename it"),
    ('{"__type": "set", "__var": [1]}', "$.details.__type: its key is reserved by Airflow"),
    ("[" * 900 + "]" * 900, f"is nested more than {MAX_DEPTH} deep; make it flat"),
    ("[" * 30_000 + "]" * 30_000, f"is nested more than {MAX_DEPTH} deep; make it flat"),
    ('{"a": ' * 900 + "1" + "}" * 900, f"is nested more than {MAX_DEPTH} deep; make it flat"),
]


@pytest.mark.parametrize(("details", "said"), NOT_STORED, ids=[details[:30] for details, _ in NOT_STORED])
def test_what_cannot_be_stored_is_named_with_its_place_and_the_fix(details, said):
    raw = json.dumps(RESULT)[:-1] + f', "details": {details}}}'
    with pytest.raises(ResultNotStored) as caught:
        read_json(raw.encode())
    message = str(caught.value)
    assert message.startswith("the stage's result cannot be stored: $")
    assert said in message
    assert message.isascii() or "…" in message
    assert len(message) < 1000
    assert message.isprintable(), "it is one line"


def test_of_many_problems_the_first_are_named():
    raw = json.dumps({**RESULT, "details": {f"n{number}": 2**64 for number in range(1000)}})
    with pytest.raises(ResultNotStored, match=r"\$\.details\.n0 .*\$\.details\.n4 .*; and more$") as caught:
        read_json(raw.encode())
    assert len(str(caught.value)) < 1000
