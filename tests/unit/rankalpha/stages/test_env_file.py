from pathlib import Path

import pytest

from rankalpha.settings import SettingsError
from rankalpha.stages.env_file import read_env_file


def written(folder: Path, text: str) -> Path:
    path = folder / "scorer.env"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
        ("A=1", {"A": "1"}),
        ("# a comment\n\n  \nA=1  # why\n", {"A": "1"}),
        ("A='x y' # why\nB=\"a#b\"\n", {"A": "x y", "B": "a#b"}),
        ("A=\n", {"A": ""}),
        ("URL=https://x.example/?a=b#c\n", {"URL": "https://x.example/?a=b#c"}),
        ("export A=1\n", {"A": "1"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("A=${HOME}\n", {"A": "${HOME}"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=Zürich\n", {"A": "Zürich"}),
    ],
)
def test_reads(tmp_path, text, expected):
    assert read_env_file(written(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("BAD\n", 1, "BAD"),
        ("BAD", 1, "BAD"),
        ("A=1\nBAD\nB=2\n", 2, "BAD"),
        ("A=1\n# comment\n\n\nBAD\n", 5, "BAD"),
        ("A=1\n  \n\t\nBAD\n", 4, "BAD"),
        ("A=1\n\n   BAD\n", 3, "BAD"),
        ("A=1\r\n\r\nBAD\r\n", 3, "BAD"),
        ('A="1\n2"\nBAD\n', 3, "BAD"),
        ("A=1\n=2\n", 2, ""),
        ("A=1\nB C=2\n", 2, "B"),
        ('A=1\nB="open\nC=2\n', 2, "B"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, text, line, found):
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_env_file(path)
    assert str(caught.value) == f"{path}, line {line}: expected KEY=VALUE, found {found!r}"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "A=1\nB=s3c\0ret\n",
            2,
            "the value of B holds the character U+0000 (NUL) at position 3; leave it out",
        ),
        (
            "A\0B=s3cret\n",
            1,
            r"the key 'A\x00B' holds the character U+0000 (NUL) at position 1; leave it out",
        ),
        ("'A=B'=s3cret\n", 1, "the key 'A=B' holds '=', which no name of a variable can; rename it"),
        ("\n'A B'=s3cret\n", 2, "the key 'A B' holds ' ', which no name of a variable can; rename it"),
        ("A\x1b=s3cret\n", 1, r"the key 'A\x1b' holds the control character U+001B; leave it out"),
    ],
)
def test_what_no_environment_can_hold_is_named_with_its_line(tmp_path, text, line, said):
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_env_file(path)
    assert str(caught.value) == f"{path}, line {line}: {said}"


@pytest.mark.parametrize("line", ["KEY: s3cret", "KEY s3cret", 'KEY="s3cret', "= s3cret"])
def test_a_malformed_line_does_not_give_its_value_away(tmp_path, line):
    with pytest.raises(SettingsError) as caught:
        read_env_file(written(tmp_path, line))
    assert "s3cret" not in str(caught.value)


def test_a_missing_file_is_named_with_its_documentation(tmp_path):
    with pytest.raises(SettingsError, match=r"scorer\.env is missing; env/example/scorer\.env documents"):
        read_env_file(tmp_path / "scorer.env")


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "scorer.env"
    path.write_bytes(b"A=\xff\n")
    with pytest.raises(SettingsError, match=r"scorer\.env is not UTF-8"):
        read_env_file(path)
