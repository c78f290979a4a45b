"""Who is responsible for a dataset, how fresh it must be, and when a batch of it is valid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from rankalpha.contract.checks import Check, Facts, Outcome
from rankalpha.texts import cut

RESULT, SCHEMA = "result", "details"  # the checks of every contract, in addition to its own
LONGEST = 200  # characters of the message of a schema


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a dataset's owner promises its readers.

    A dataset whose newest event is older than `freshness` counts as stale. `details` is the JSON schema of
    each detail of a result that the checks know; a stage may report more or fewer details.
    """

    owner: str
    description: str
    freshness: timedelta
    checks: tuple[Check, ...]
    details: Mapping[str, Mapping[str, Any]]

    def __post_init__(self) -> None:
        names = [RESULT, SCHEMA, *(check.name for check in self.checks)]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"a contract has several checks named {', '.join(sorted(twice))}; rename them")

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the result's details."""
        properties = {name: dict(schema) for name, schema in self.details.items()}
        return {"type": "object", "properties": properties}

    def describe(self) -> dict[str, Any]:
        """Return what Airflow shows above the events of the dataset, in this order: one short line each."""
        return {
            "description": self.description,
            "owner": self.owner,
            "fresh for hours": self.freshness / timedelta(hours=1),
            "partition": "batch, such as 2026-11-22T06:00:00",
            "checks": {check.name: f"{check.expected} ({check.severity})" for check in self.checks},
        }

    def evaluate(
        self, batch: str, result: Mapping[str, Any] | None, earlier: Mapping[str, Any], required: bool
    ) -> list[Outcome]:
        """Return the outcome of each check of a batch; see `Facts` for `result` and `earlier`.

        Without a result (None) the first check fails if a result is `required`.
        """
        facts = Facts(batch=batch, result=result or {}, earlier=earlier)
        own = [check.outcome(facts) for check in self.checks]
        return [_reported(result, required), self._valid(facts.result), *own]

    def _valid(self, result: Mapping[str, Any]) -> Outcome:
        details = result.get("details")
        problem = next(Draft202012Validator(self.schema).iter_errors(details or {}), None)
        verdict = cut(f"{problem.json_path} {problem.message}", LONGEST) if problem else "valid"
        return {
            "name": SCHEMA,
            "value": verdict if details else None,
            "expected": "valid by its schema",
            "severity": "block",
            "passed": problem is None,
        }


def failed(outcomes: Sequence[Outcome], severity: str) -> list[Outcome]:
    """Return the outcomes of the failed checks of a severity."""
    return [outcome for outcome in outcomes if not outcome["passed"] and outcome["severity"] == severity]


def _reported(result: Mapping[str, Any] | None, required: bool) -> Outcome:
    return {
        "name": RESULT,
        "value": None if result is None else "reported",
        "expected": "reported" if required else "reported or not",
        "severity": "block",
        "passed": result is not None or not required,
    }
