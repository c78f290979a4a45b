"""A check: one figure of a batch's result, and its bounds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, TypedDict

from rankalpha.stages.storable import MAX_INTEGER

Severity = Literal["block", "warn"]
Value = int | float | str | None
DECIMALS = 4  # of the value in the report; the comparison is exact


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts that a batch is checked on.

    `result` is what the stage has reported (see `rankalpha.stages.result`), or empty. `earlier` holds the
    figures of the batch published before (see `rankalpha.pipeline.batch.earlier`), or is empty.
    """

    batch: str
    result: Mapping[str, Any]
    earlier: Mapping[str, Any]


class Outcome(TypedDict):
    """The outcome of a check; `value` is None when the stage did not report the figure."""

    name: str
    value: Value
    expected: str
    severity: Severity
    passed: bool


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure that must be at least `least` and at most `most`, both in `unit` (such as "sessions" or "%").

    A figure that is text says why there is nothing to check; it passes, and so does None (not reported).
    """

    name: str
    figure: Callable[[Facts], Value]
    least: float | None = None
    most: float | None = None
    unit: str = ""
    severity: Severity = "block"

    def __post_init__(self) -> None:
        if self.least is None and self.most is None:
            raise ValueError(f"check {self.name!r} has no bound; expected least, most or both")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"check {self.name!r} can never pass: {self.least} is above {self.most}")

    @property
    def expected(self) -> str:
        """The bounds in words."""
        least, most = self._with_unit(self.least), self._with_unit(self.most)
        if self.least == self.most:
            return f"exactly {most}"
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {most}"
        return f"at least {least}" if self.least is not None else f"at most {most}"

    def _with_unit(self, bound: float | None) -> str:
        """Return a bound as text; 1 is one of its unit."""
        unit = self.unit.removesuffix("s") if bound == 1 else self.unit
        return f"{bound:g} {unit}".rstrip() if bound is not None else ""

    def outcome(self, facts: Facts) -> Outcome:
        """Return the outcome of the check."""
        value = self.figure(facts)
        passed = value is None or isinstance(value, str) or self._holds(value)
        if isinstance(
            value, float
        ):  # numbers that cannot be stored (rankalpha.stages.storable) are kept as text
            value = round(value, DECIMALS) if abs(value) < MAX_INTEGER else str(value)
        return {
            "name": self.name,
            "value": value,
            "expected": self.expected,
            "severity": self.severity,
            "passed": passed,
        }

    def _holds(self, value: float) -> bool:
        return (
            isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )
