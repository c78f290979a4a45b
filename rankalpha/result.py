"""The result of a stage: one JSON object that it writes to the path in RANKALPHA_RESULT."""

import json
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from rankalpha.texts import ANSWER, cut

MAX_BYTES = 65536  # it travels as XCom and as the event's extra; a result is a summary, not data

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["rows", "symbols", "as_of"],
    "properties": {
        "stage": {"type": "string"},
        "batch": {"type": "string"},
        "rows": {"type": "integer", "minimum": 0},
        "symbols": {"type": "integer", "minimum": 0},
        "as_of": {"type": "string", "format": "date"},
        "checksum": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "outputs": {"type": "array", "items": {"type": "string"}},
        "details": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        },
    },
}
_VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


class ResultError(Exception):
    """A stage wrote a result that is none; the message says what is wrong with it."""


def parse_result(raw: bytes, batch: str) -> dict[str, Any] | None:
    """Return the result in `raw`, or None when the stage wrote none; ResultError for anything malformed.

    A result of another batch than `batch` is malformed too.
    """
    if not raw.strip():
        return None
    if len(raw) > MAX_BYTES:
        raise ResultError(f"the stage's result has {len(raw)} bytes; at most {MAX_BYTES} are allowed")
    try:
        result: dict[str, Any] = json.loads(raw)
        json.dumps(result, allow_nan=False)  # Python reads NaN and 1e999, PostgreSQL takes neither
    except (ValueError, RecursionError) as error:
        raise ResultError(f"the stage's result is not JSON: {error}") from error
    problems = sorted(_VALIDATOR.iter_errors(result), key=lambda problem: problem.json_path)
    if problems:
        listed = "; ".join(f"{problem.json_path}: {cut(problem.message, ANSWER)}" for problem in problems)
        raise ResultError(f"the stage's result breaks its schema: {listed}")
    if result.get("batch", batch) != batch:
        raise ResultError(f"the stage's result is for batch {result['batch']}, not for {batch}")
    return result
