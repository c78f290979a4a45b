"""A blocked result and the word by which a person publishes it once: two XComs of the run that made it.

`quarantine`, of the task that publishes, is what its newest try has refused: `batch`, `result`, `checks` and
`container`. It goes when the task runs again, or when Airflow forgets the run.

`publish_anyway`, of the stage's task, is a person's word: `by`, `reason` and `try`, the number of the try of
the publishing task that may publish in spite of its checks. No other try may, and a stage that runs again
clears it: so a word holds for one result, once.
"""

from typing import Any

from jsonschema import Draft202012Validator

QUARANTINE = "quarantine"
PUBLISH_ANYWAY = "publish_anyway"
LONGEST_REASON = 500  # characters

_WORD = Draft202012Validator(
    {
        "type": "object",
        "required": ["by", "reason", "try"],
        "properties": {
            "by": {"type": "string", "pattern": r"\S"},
            "reason": {"type": "string", "pattern": r"\S", "maxLength": LONGEST_REASON},
            "try": {"type": "integer"},
        },
    }
)


def forced(word: Any, try_number: int) -> dict[str, str] | None:
    """Return who has this try publish, and why; None when the word is of another try, or is none."""
    if not _WORD.is_valid(word) or word["try"] != try_number:
        return None
    return {"by": word["by"], "reason": word["reason"]}
