"""Whether a value can be used: each function returns what is wrong with it, or an empty text.

Another attempt does not make such a value usable, so callers fail at once.
"""

import re
import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

LONGEST = 128 * 1024 - 1  # bytes of an argument, or of KEY=VALUE, that Linux starts a program with
ALL = 1024 * 1024  # bytes of an environment; Linux usually allows 2 MB, including the arguments
LONGEST_IMAGE = 255  # characters of an image's name without tag and digest
# an image's name as Docker's Go package distribution/reference reads it
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PATH = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_HOST}(?:\.{_HOST})*(?::[0-9]+)?/)?{_PATH}(?:/{_PATH})*)"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")  # of a volume or a network


def text_problem(text: str) -> str:
    """Return why neither a program's environment nor PostgreSQL can hold a text."""
    if "\0" in text:
        return f"holds the character U+0000 (NUL) at position {text.index(chr(0))}; leave it out"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"U+{ord(text[error.start]):04X}"
        return f"holds {half}, which is half a character, at position {error.start}; write it as UTF-8"
    return ""


def line_problem(text: str) -> str:
    """Return why a text cannot be a name, a path or an address, which are a single line."""
    if problem := text_problem(text):
        return problem
    if not text.strip():
        return "is empty"
    odd = next((character for character in text if not character.isprintable()), "")
    return f"holds the control character U+{ord(odd):04X}; leave it out" if odd else ""


def key_problem(key: str) -> str:
    """Return why a text is not the name of an environment variable."""
    if problem := line_problem(key):
        return problem
    odd = "=" if "=" in key else " " if " " in key else ""
    return f"holds {odd!r}, which no name of a variable can; rename it" if odd else ""


def name_problem(name: str) -> str:
    """Return why a text is not the name of a Docker volume or network."""
    return "" if _NAME.fullmatch(name) else "is not a name that Docker takes, such as prices_data"


def path_problem(path: str) -> str:
    """Return why a text is not a path within a container."""
    if problem := line_problem(path):
        return problem
    right = path.startswith("/") and path.strip("/")
    return "" if right else "is not an absolute path; expected one such as /data/prices"


def image_problem(image: str) -> str:
    """Return why a text is not the name of an image, whether the image exists or not."""
    if problem := line_problem(image):
        return problem
    parts = _IMAGE.fullmatch(image)
    if parts and len(parts["name"]) <= LONGEST_IMAGE:
        return ""
    return "is not the name of an image; expected lower-case letters and a tag, such as my_scorer:2"


def command_problem(command: str) -> str:
    """Return why a text is not a command, that is words with a shell's quotation marks."""
    if problem := text_problem(command):
        return problem
    try:
        words = shlex.split(command)
    except ValueError as error:  # a quotation mark or backslash without its other half
        return f"cannot be split into words: {error}; correct its quotation marks"
    if not words or not words[0]:
        return "is empty"
    long = max(len(word.encode()) for word in words) > LONGEST
    return f"has a word of more than {LONGEST} bytes; put it into a file" if long else ""


def url_problem(url: str) -> str:
    """Return why a text is not the http or https address of a server."""
    expected = "is not an http or https address; expected one such as http://api:6080"
    if problem := line_problem(url):
        return expected if problem == "is empty" else problem
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        (parts.hostname or "").encode("idna")  # as requests does: labels of 1 to 63 characters
    except ValueError:  # the port, or a bracket or label of the host
        return expected
    return "" if right and " " not in parts.netloc else expected


def engine_problem(url: str) -> str:
    """Return why a text is not the address of a Docker engine in a form that both of our clients read."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            right = bool(parts.netloc or parts.path.strip("/"))
        else:
            right = parts.scheme in ("tcp", "http", "https") and bool(parts.hostname and parts.port)
    except ValueError:  # the port, or a bracket of the host
        right = False
    expected = "expected one such as unix:///var/run/docker.sock or tcp://docker-proxy:2375"
    return "" if right else f"is not the address of a Docker engine; {expected}"


def environment_problem(env: Mapping[str, str]) -> str:
    """Return which variable is too large for Linux to start a program with; never the variable's value."""
    sizes = {key: len(f"{key}={value}".encode()) for key, value in env.items()}
    largest = max(sizes, key=sizes.__getitem__, default="")
    if largest and sizes[largest] > LONGEST:
        return f"{largest} has {sizes[largest]} bytes; at most {LONGEST} are possible: put it into a file"
    if (size := sum(sizes.values())) > ALL:
        return f"all variables have {size} bytes; at most {ALL} are possible: shorten {largest}, the largest"
    return ""
