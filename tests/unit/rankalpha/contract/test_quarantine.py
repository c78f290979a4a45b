"""When a person's permission lets an attempt publish what its checks have blocked, and why it does not."""

import pytest

from rankalpha.contract.quarantine import forced, refusal

PERMISSION = {"by": "ann", "reason": "the exchange was closed", "try": 2}


def test_it_is_for_one_attempt():
    assert forced(PERMISSION, 2) == {"by": "ann", "reason": "the exchange was closed"}
    assert forced(PERMISSION, 3) is None
    assert refusal(PERMISSION, 3) == "it is for attempt 2 and not for attempt 3"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("publish", "it is not an object with by, reason and try"),
        ({**PERMISSION, "by": ""}, "the name is missing"),
        ({**PERMISSION, "reason": 7}, "the reason is missing"),
        ({**PERMISSION, "reason": "x" * 501}, "the reason has 501 characters, of 500 at most"),
        ({**PERMISSION, "reason": "a\0b"}, "the reason holds the character U+0000 (NUL) at position 1"),
        ({**PERMISSION, "reason": "a\ud83d"}, "the reason holds U+D83D, which is half a character"),
        ({**PERMISSION, "by": "\0"}, "the name holds the character U+0000 (NUL)"),
        ({"by": "ann", "reason": "it is right"}, "it is for attempt None"),
    ],
)
def test_what_does_not_hold_says_why(given, problem):
    assert problem in refusal(given, 2)
    assert forced(given, 2) is None
