"""Texts that quote others have a bound, and say how much is missing."""

import re

import pytest

from rankalpha.texts import cut, one_line, printable


@pytest.mark.parametrize("longest", [100, 101, 102, 500])
@pytest.mark.parametrize("size", [1, 99, 100, 101, 500, 501, 99_999, 1_000_000])
def test_a_long_text_keeps_beginning_and_end_and_counts_what_is_missing(longest, size):
    text = "".join(chr(0x4E00 + number % 5000) for number in range(size))
    short = cut(text, longest)
    assert len(short) <= longest
    if size <= longest:
        assert short == text
        return
    begin, missing, end = re.fullmatch(r"(.+) \[… (\d+) characters are left out …\] (.+)", short).groups()
    assert len(begin) + int(missing) + len(end) == size
    assert text.startswith(begin)
    assert text.endswith(end)


def test_a_bound_without_room_leaves_the_note():
    assert cut("x" * 100, 5) == " [… 100 characters are left out …] "


def test_what_can_be_neither_mailed_nor_stored_is_replaced():
    assert printable("a\0b\x1bc\ud800d\te\nf") == "a\ufffdb\ufffdc\ufffdd\te\nf"


def test_a_subject_is_one_line():
    assert one_line("a\r\nBcc: b\n\n c") == "a Bcc: b c"
