"""A blocked result and a person's permission to publish it once: two XComs of the run that made it.

`quarantine`, of the task that publishes, is what its newest attempt has refused: `batch`, `result`, `checks`
and `container`. It goes when the task runs again, or when Airflow forgets the run.

`publish_anyway`, of the stage's task, is the permission: `by`, `reason` and `try`, the number of the attempt
by which the publishing task may publish in spite of its checks. No other attempt may, and a stage that runs
again clears it: so a permission holds for one result, once.
"""

from typing import Any

from rankalpha.usable import text_problem

QUARANTINE = "quarantine"
PUBLISH_ANYWAY = "publish_anyway"
LONGEST_REASON = 500  # characters


def permission_problem(by: Any, reason: Any) -> str:
    """Say why a permission with that name and reason cannot be kept on record; an empty text when it can."""
    for what, text in (("name", by), ("reason", reason)):
        if not isinstance(text, str) or not text.strip():
            return f"the {what} is missing: it stays on record"
        if problem := text_problem(text):
            return f"the {what} {problem}"
    if len(reason) > LONGEST_REASON:
        return f"the reason has {len(reason)} characters, of {LONGEST_REASON} at most; shorten it"
    return ""


def refusal(permission: Any, try_number: int) -> str:
    """Say why a permission does not let this attempt publish; an empty text when it does."""
    if not isinstance(permission, dict):
        return "it is not an object with by, reason and try"
    if problem := permission_problem(permission.get("by"), permission.get("reason")):
        return problem
    number = permission.get("try")
    if type(number) is not int or number != try_number:
        return f"it is for attempt {number!r} and not for attempt {try_number}"
    return ""


def forced(permission: Any, try_number: int) -> dict[str, str] | None:
    """Return who lets this attempt publish, and why; None when it is for another, or not valid."""
    if refusal(permission, try_number):
        return None
    return {"by": permission["by"], "reason": permission["reason"]}
