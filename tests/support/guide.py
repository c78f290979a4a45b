"""A page that is followed step by step: what a reader types, and what the page says is then shown."""

import re
from collections import deque
from dataclasses import dataclass

HEADING = re.compile(r"^## (.+)$")
BLOCK = re.compile(r"(?ms)^## [^\n]+$|^```console\n.*?^```$")
GIVEN = re.compile(
    r" RANKALPHA_[A-Z_]+=[^\s`]+"
)  # the settings of a stack, in the commands that messages name
LEFT_OUT = "…"
KEY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
TOKEN = re.compile(rf"{KEY}| *{LEFT_OUT} *| +|\d+|[^ {LEFT_OUT}\d]+")
FAILURE = "make: ***"


@dataclass(frozen=True)
class Step:
    """A command of a page below its heading, with the lines that it shows."""

    heading: str
    command: str
    shown: tuple[str, ...]

    @property
    def fails(self):
        """Whether the page says that the command ends with an error."""
        return any(line.startswith(FAILURE) for line in self.shown)


def steps(text):
    """The commands of a page, in order."""
    found, heading = [], ""
    for block in BLOCK.findall(text):
        if title := HEADING.match(block):
            heading = title[1]
            continue
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, *shown = part.removesuffix("```").splitlines()
            found.append(Step(heading, command, tuple(shown)))
    return found


def missing(shown, printed, batches=()):
    """The first line of a page that was not printed after the ones before it; None when all were.

    Numbers may differ, but not the names of these batches, and so may blanks; `…` stands for anything.
    """
    lines = iter(GIVEN.sub("", printed).splitlines())
    for line in shown:
        pattern = re.compile("".join(_loose(token, batches) for token in TOKEN.findall(line.strip())))
        if line.strip() != LEFT_OUT and not any(pattern.fullmatch(other.strip()) for other in lines):
            return line
    return None


def _loose(token, batches):
    if LEFT_OUT in token:
        return ".*"
    if token.isspace():
        return r"\s+"
    if re.fullmatch(KEY, token):
        return token if token in batches else KEY
    return r"\d+" if token.isdigit() else re.escape(token)


class Guide:
    """Runs a page's commands in a stack, each once and in order; `names`: our batches by the page's names."""

    def __init__(self, page, stack):
        self.ahead, self.names, self._stack = deque(steps(page.read_text())), {}, stack

    def run(self, heading):
        """Run the next command, which must stand below that heading; return what it has printed."""
        step = self.ahead.popleft()
        assert step.heading == heading, f"the page's next command is {step}"
        done = self._stack.run("sh", "-c", self._named(step.command), timeout=800)
        assert (done.returncode != 0) == step.fails, done.stdout
        line = missing(map(self._named, step.shown), done.stdout, self.names.values())
        assert line is None, f"{step.command} did not print {line!r}:\n{done.stdout}"
        return done.stdout

    @property
    def next_command(self):
        """What is run next, with the names of the batches that are here."""
        return self._named(self.ahead[0].command)

    def _named(self, text):
        for name, batch in self.names.items():
            text = text.replace(name, batch)
        return text
