"""The figures that checks compare; each function here returns a figure, which reads a number from facts.

The number is None when the stage did not report what it is computed from.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from rankalpha.contract.checks import Facts, Value

Figure = Callable[[Facts], Value]
NO_EARLIER = "no earlier batch"
REPLAYED = "replayed sample"
NO_CALENDAR = "no calendar"  # the market names no exchange
COUNTED = "counted in sessions"


def reported(name: str) -> Figure:
    """Return the figure of a name: the number in the result, or else in its details."""
    return lambda facts: _number(facts.result, name)


def share(*parts: str, of: tuple[str, ...], but: int = 0) -> Figure:
    """Return the figure 100 * (sum of `parts` - `but`) / (sum of `of`), in percent and at least 0."""

    def figure(facts: Facts) -> Value:
        some = [_number(facts.result, name) for name in parts]
        all_ = [_number(facts.result, name) for name in of]
        if None in (*some, *all_):
            return None
        whole = sum(filter(None, all_))
        return 100.0 * max(0.0, sum(filter(None, some)) - but) / whole if whole else 0.0

    return figure


def ratio(name: str, of: str) -> Figure:
    """Return the figure of a number divided by another one; None when that is 0."""

    def figure(facts: Facts) -> Value:
        part, whole = _number(facts.result, name), _number(facts.result, of)
        return part / whole if part is not None and whole else None

    return figure


def difference(name: str, other: str) -> Figure:
    """Return the figure of a number minus another one."""

    def figure(facts: Facts) -> Value:
        first, second = _number(facts.result, name), _number(facts.result, other)
        return None if first is None or second is None else first - second

    return figure


def age() -> Figure:
    """Return the figure of the days from the end of the data to the batch's day; negative if they end later.

    Data that the stage calls replayed are of another time, like the sample of the reference services. Where
    the stage knows the exchange, its sessions count instead, see `sessions_behind`.
    """

    def figure(facts: Facts) -> Value:
        if _details(facts.result).get("replayed") is True:
            return REPLAYED
        if isinstance(sessions_behind()(facts), int | float):
            return COUNTED
        as_of = _day(facts.result.get("as_of"))
        return (date.fromisoformat(facts.batch[:10]) - as_of).days if as_of else None

    return figure


def sessions_behind() -> Figure:
    """Return the figure of the exchange's sessions after the end of the data that had closed at the batch."""

    def figure(facts: Facts) -> Value:
        details = _details(facts.result)
        if details.get("replayed") is True:
            return REPLAYED
        if "session" in details and details["session"] is None:
            return NO_CALENDAR
        return _number(facts.result, "sessions_behind")

    return figure


def change(name: str) -> Figure:
    """Return the figure of a number's change since the batch published before, in percent."""

    def figure(facts: Facts) -> Value:
        new, old = _number(facts.result, name), _number(facts.earlier, name)
        if new is None or not old:  # a change from 0 has no percentage
            return None if new is None else NO_EARLIER
        return 100.0 * (new - old) / old

    return figure


def advance() -> Figure:
    """Return the figure of the days that the data end later than those of the batch published before."""

    def figure(facts: Facts) -> Value:
        new, old = _day(facts.result.get("as_of")), _day(facts.earlier.get("as_of"))
        if new is None or old is None:
            return None if new is None else NO_EARLIER
        return (new - old).days

    return figure


def surplus() -> Figure:
    """Return the figure of the counts in the details, such as of each grade, minus the rows."""

    def figure(facts: Facts) -> Value:
        counts = [_number(facts.result, name) for name in _details(facts.result)]
        rows = _number(facts.result, "rows")
        if rows is None or not counts or None in counts:
            return None
        return sum(filter(None, counts)) - rows

    return figure


def _number(result: Mapping[str, Any], name: str) -> float | None:
    value = result.get(name, _details(result).get(name))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _details(result: Mapping[str, Any]) -> Mapping[str, Any]:
    details: Mapping[str, Any] = result.get("details") or {}
    return details


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:  # an event that a person has posted may hold anything
        return None
