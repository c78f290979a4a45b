"""What no engine, process or database can use is told from what they can."""

import re
import subprocess
import sys

import pytest

from rankalpha.texts import shown
from rankalpha.usable import (
    ALL,
    LONGEST,
    command_problem,
    engine_problem,
    environment_problem,
    image_problem,
    key_problem,
    line_problem,
    name_problem,
    path_problem,
    text_problem,
    url_problem,
)

NUL, HALF = "a\0b", "a\ud800b"


@pytest.mark.parametrize("text", ["", "x", "two\nlines\tand \x1b[1m", "Zürich 東京 🚀", "\U0010ffff"])
def test_a_text_that_can_be_kept(text):
    assert text_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NUL, r"holds the character U\+0000 \(NUL\) at position 1; leave it out"),
        (HALF, r"holds U\+D800, which is half a character, at position 1; write it as UTF-8"),
        (
            b"caf\xe9".decode(errors="surrogateescape"),
            r"holds U\+DCE9, which is half a character, at position 3",
        ),
    ],
)
@pytest.mark.parametrize(
    "problem_of", [text_problem, line_problem, key_problem, path_problem, image_problem, command_problem]
)
def test_a_text_that_nothing_can_hold(problem_of, text, said):
    assert re.match(said, problem_of(text))


@pytest.mark.parametrize("text", ["", " ", "\n", "a\nb", "a\tb", "\x1b[1m", "\x7f", "\ufeffA", "a\u2028b"])
def test_what_is_no_line(text):
    assert line_problem(text)


@pytest.mark.parametrize("key", ["A", "a_1", "spring.url", "A-B", "Ä"])
def test_a_key(key):
    assert key_problem(key) == ""


@pytest.mark.parametrize("key", ["", " ", "A B", "A=B", "=", "A\nB", "\ufeffA"])
def test_what_is_no_key(key):
    assert key_problem(key)


@pytest.mark.parametrize(
    "image",
    [
        "rankalpha_scorer",
        "scorer:2",
        "a/b/c:v1.0_x-y",
        "registry:5000/scorer",
        "Registry.Example.org:443/team/scorer:Latest",
        "localhost/x",
        "x@sha256:" + "0a" * 32,
        "x:1@sha256:" + "0a" * 32,
        "sha256:" + "0a" * 32,
        "0a" * 32,
        "a__b--c.d/e",
        "x" * 255,
    ],
)
def test_an_image(image):
    assert image_problem(image) == ""


@pytest.mark.parametrize(
    "image",
    [
        "",
        " ",
        "Scorer",
        "team/Scorer:1",
        "scorer:",
        ":1",
        "scorer:a b",
        " scorer",
        "scorer\n",
        "scorer:-1",
        "scorer:" + "x" * 129,
        "x" * 256,
        "a//b",
        "/a",
        "a/",
        "a..b",
        "a___b",
        "-a",
        "https://registry/scorer",
        "x@sha256:0a",
        "x@sha256",
        "x:1:2",
        "${IMAGE}",
        "näme",
    ],
)
def test_what_is_no_image(image):
    assert image_problem(image)


@pytest.mark.parametrize("command", ["python main.py", "sh -c 'a\nb'", 'x ""', "a\\ b", "x" * LONGEST])
def test_a_command(command):
    assert command_problem(command) == ""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("python '", "cannot be split into words: No closing quotation; correct its quotation marks"),
        ('python "', "No closing quotation"),
        ("python \\", "No escaped character"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("''", "is empty"),
        ("'' x", "is empty"),
        ("ü" * (LONGEST // 2 + 1), f"has a word of more than {LONGEST} bytes"),
    ],
)
def test_what_is_no_command(command, said):
    assert said in command_problem(command)


@pytest.mark.parametrize(
    "url",
    [
        "http://api:6080",
        "https://example.org/a/b?c=d",
        "http://rankalpha_api:6080/",
        "http://[::1]:80",
        "http://user:pass@api",
        "HTTP://API",
        "http://bücher.example",
    ],
)
def test_an_address(url):
    assert url_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "api",
        "api:6080",
        "//api",
        "ftp://api",
        "http:/api",
        "http://",
        "http:///path",
        "http://:80",
        "http://api:port",
        "http://api:0",
        "http://api:65536",
        "http://[::1",
        "http://a b",
        "http://.example.org",
        f"http://{'a' * 64}",
        "http://api\n",
        "http://a\0pi",
        "http://a\ud800pi",
    ],
)
def test_what_is_no_address(url):
    assert url_problem(url)


@pytest.mark.parametrize(
    "url", ["unix:///var/run/docker.sock", "unix://run/docker.sock", "tcp://docker-proxy:2375"]
)
def test_the_address_of_an_engine(url):
    assert engine_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    ["", "docker-proxy:2375", "tcp://docker-proxy", "tcp://:2375", "tcp://x:99999", "unix://", "nonsense"],
)
def test_what_is_no_address_of_an_engine(url):
    assert engine_problem(url).startswith(
        "is not the address of a Docker engine; expected one such as unix://"
    )


@pytest.mark.parametrize("name", ["prices_data", "a.b-c", "N1"])
def test_names_and_paths(name):
    assert name_problem(name) == path_problem(f"/{name}") == ""


@pytest.mark.parametrize("name", ["", "a", "-ab", "a b", "a/b", "ab\n", "a\0b"])
def test_what_is_no_name_of_a_volume(name):
    assert name_problem(name)


@pytest.mark.parametrize("path", ["", "/", "//", "data", "/a\0b", "/a\nb"])
def test_what_is_no_path(path):
    assert path_problem(path)


def started(env):
    """Whether Linux starts a program with an environment."""
    try:
        subprocess.run([sys.executable, "-S", "-c", ""], env=env, check=True)
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "env",
    [{"A": "x" * (LONGEST - 2)}, {f"A{n}": "x" * (ALL // 16 - 4) for n in range(16)}],
    ids=["one", "all"],
)
def test_an_environment_that_a_program_can_be_started_with(env):
    assert environment_problem(env) == ""
    assert started(env)


def test_an_environment_that_is_too_large_is_told_without_its_values():
    env = {"A": "x", "SECRET": "s" * LONGEST}
    assert (
        environment_problem(env)
        == f"SECRET has {LONGEST + 7} bytes; at most {LONGEST} are possible: put it into a file"
    )
    assert not started(env)
    many = {f"A{n}": "s" * 1000 for n in range(2000)}
    assert "all variables have 2010890 bytes; at most 1048576 are possible" in environment_problem(many)


def test_of_a_long_value_the_beginning_is_shown():
    assert shown("python '") == '"python \'"'
    assert len(shown("\0" * 100_000)) < 500
