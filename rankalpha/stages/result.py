"""The result of a stage: one JSON object that it writes to the path in RANKALPHA_RESULT."""

from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from rankalpha.pipeline.versions import PATH
from rankalpha.stages.storable import ResultError, read_json
from rankalpha.texts import ANSWER, cut, shown

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
_SHA256 = {"type": "string", "pattern": r"^[0-9a-f]{64}\Z"}
_PATH = {"type": "string", "pattern": rf"^{PATH.pattern}\Z"}  # Python lets a `$` stand before a line break
VERSION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["path", "sha256", "files", "inputs"],
    "properties": {
        "path": _PATH,
        "sha256": _SHA256,
        "files": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["size", "sha256"],
                "properties": {"size": {"type": "integer", "minimum": 0}, "sha256": _SHA256},
            },
        },
        "inputs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["path", "sha256"],
                "properties": {"path": _PATH, "sha256": _SHA256},
            },
        },
    },
}
_VERSION_VALIDATOR = Draft202012Validator(VERSION_SCHEMA)


def parse_result(raw: bytes, batch: str) -> dict[str, Any] | None:
    """Return the result in `raw`, or None when the stage wrote none; ResultError for a malformed result.

    A result of another batch than `batch` is malformed too. ResultNotStored when it cannot be stored.
    """
    if not raw.strip():
        return None
    if len(raw) > MAX_BYTES:
        raise ResultError(f"the stage's result has {len(raw)} bytes; at most {MAX_BYTES} are allowed")
    result: dict[str, Any] = read_json(raw)
    _check(_VALIDATOR, result)
    if result.get("batch", batch) != batch:
        raise ResultError(f"the stage's result is for batch {shown(result['batch'])}, not for {batch}")
    return result


def check_version(version: Any) -> None:
    """Raise ResultError for the `version` of a result that is not one, see `rankalpha.pipeline.versions`."""
    _check(_VERSION_VALIDATOR, version, ".version")


def _check(validator: Draft202012Validator, value: Any, part: str = "") -> None:
    problems = sorted(validator.iter_errors(value), key=lambda problem: problem.json_path)
    if problems:
        listed = "; ".join(
            f"{problem.json_path.replace('$', f'${part}', 1)}: {cut(problem.message, ANSWER)}"
            for problem in problems
        )
        raise ResultError(f"the stage's result breaks its schema: {listed}")
