"""The outcomes of a batch's checks, for people to read."""

import logging
from collections.abc import Iterator, Sequence

from rankalpha.contract.checks import Outcome, Severity
from rankalpha.contract.figures import COUNTED, NO_CALENDAR, NO_EARLIER, REPLAYED

UNCHECKED = (None, NO_EARLIER, REPLAYED, NO_CALENDAR, COUNTED)
HEADINGS = ("check", "value", "expected", "outcome")
LEVELS: dict[Severity, int] = {"block": logging.ERROR, "warn": logging.WARNING}


def lines(outcomes: Sequence[Outcome]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a table, then a sentence for each failed check, each with its level.

    The lines of the table have one level, because a log shows it before the line, and would shift columns.
    """
    rows = [(outcome["name"], shown(outcome), outcome["expected"], verdict(outcome)) for outcome in outcomes]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    for row in (HEADINGS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield logging.INFO, "  ".join(cells).rstrip()
    for outcome in outcomes:
        if not outcome["passed"]:
            yield LEVELS[outcome["severity"]], f"{sentence(outcome)}."


def sentence(outcome: Outcome) -> str:
    """Return a sentence, without its full stop, that says why a check failed."""
    name = outcome["name"]
    if outcome["value"] is None:
        return f"The stage reported no {name}, but RANKALPHA_REQUIRE_RESULT=true requires one"
    unit = " %" if outcome["expected"].endswith(" %") else ""
    return f"{name[:1].upper()}{name[1:]} is {shown(outcome)}{unit}; expected {outcome['expected']}"


def shown(outcome: Outcome) -> str:
    """Return the value of a check as text."""
    value = outcome["value"]
    if value is None:
        return "not reported"
    return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def verdict(outcome: Outcome) -> str:
    """Return what a check has said of its figure, in a word; the log and the page have the same."""
    if outcome["passed"]:
        return "not checked" if outcome["value"] in UNCHECKED else "passed"
    return "BLOCKS" if outcome["severity"] == "block" else "WARNING"
