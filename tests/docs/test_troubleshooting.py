"""Each message on the page is one of the code, and each refusal of a start or a command is on the page."""

import ast
import re
from functools import cache

import pytest

PAGE = "docs/operate/troubleshooting.md"
OTHERS = "## Messages of other programs"  # neither those nor what follows are of our code
CODE = ("rankalpha", "apps")
# where a person meets refusals: who starts a stack, types a command, or sets up a stage
REFUSING = (
    "commands",
    "contract",
    "lineage/openlineage/configuration.py",
    "pipeline/batch.py",
    "pipeline/markets.py",
    "runners/*.py",
    "stack/embedded",
    "stack/p*.py",
    "stack/upgrade.py",
    "stages",
)
INTERNAL = {"ContainerGone", "NameTaken"}  # a caller catches them
SHORTEST = 8  # letters of a message; fewer say nothing


def template(node):
    """The text of an expression, with `…` for what differs; empty for what is not a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def refusals(tree):
    """The texts of what a module raises or yields; those of click have the command's usage beside them."""
    for node in ast.walk(tree):
        told = getattr(node, "exc" if isinstance(node, ast.Raise) else "value", None)
        if not isinstance(node, ast.Raise | ast.Yield) or told is None or isinstance(told, ast.Tuple):
            continue
        if not any(isinstance(part, ast.Name) and part.id in {*INTERNAL, "click"} for part in ast.walk(told)):
            longest = max((template(part) for part in ast.walk(told)), key=len)
            if " " in longest and says_enough(longest):
                yield longest


def says_enough(text):
    return len(re.sub(r"\W", "", text)) >= SHORTEST


@cache
def words(text):
    """The text in one line."""
    return " ".join(text.split())


def could_be(message, text):
    """Whether a message could be that text, or a part of it: what it says stands there in this order."""
    said = message.removeprefix("… ").removesuffix(" …")
    line, at = words(text), 0
    for part in said.split("…"):
        found = line.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


@pytest.fixture(scope="module")
def messages(root):
    """What each line of the page's lists begins with, as far as it is of our code."""
    ours = (root / PAGE).read_text().split(OTHERS)[0]
    heads = re.findall(r"(?m)^- ((?:`[^`]+`(?:, | or )?)+): ", ours)
    assert len(heads) == ours.count("\n- ")
    return [message for head in heads for message in re.findall(r"`([^`]+)`", head)]


@pytest.fixture(scope="module")
def trees(root):
    """The modules' trees by their paths."""
    return {path: ast.parse(path.read_text()) for place in CODE for path in (root / place).rglob("*.py")}


def test_each_message_is_one_of_the_code(root, messages, trees):
    texts = {template(node) for tree in trees.values() for node in ast.walk(tree)}
    texts |= {(root / "Makefile").read_text()}
    assert len(messages) > 80
    assert [message for message in messages if not any(could_be(message, text) for text in texts)] == []


def test_each_message_says_enough_to_be_found(messages):
    assert [message for message in messages if not says_enough(message) and "expected" not in message] == []


@pytest.mark.parametrize("place", REFUSING)
def test_each_refusal_is_on_the_page(root, messages, trees, place):
    found = [path for each in (root / "rankalpha").glob(place) for path in (each, *each.rglob("*.py"))]
    told = {text for path in found if path in trees for text in refusals(trees[path])}
    assert told
    clear = [message for message in messages if says_enough(message)]
    missing = {text for text in told if not any(could_be(message, text) for message in clear)}
    assert missing == set(), f"add them to {PAGE}: what it means, and what to do"


@pytest.mark.parametrize(
    ("message", "text", "right"),
    [
        ("port already in use: …", "port already in use: …; stop what listens there", True),
        ("… is still a default", "… is still a default", True),
        ("… is paused: a batch will wait", "is paused: a batch will wait there", True),
        ("port in use: …", "port already in use: …", False),
        ("there is no log …; there are …", "there are …; there is no log …", False),
    ],
)
def test_a_message_is_found_by_what_it_says(message, text, right):
    assert could_be(message, text) is right
