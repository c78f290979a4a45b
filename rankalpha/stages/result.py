"""The result of a stage: one JSON object that it writes to the path in RANKALPHA_RESULT."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from rankalpha.pipeline.versions import PATH
from rankalpha.texts import ANSWER, cut, shown
from rankalpha.usable import text_problem

MAX_BYTES = 65536  # it travels as XCom and as the event's extra; a result is a summary, not data
MAX_DEPTH = 64  # levels of nested objects and lists; Airflow cannot send about 900
MAX_INTEGER = 2**63 - 1  # what Airflow sends has 64 bits
LONGEST_INTEGER = 30  # characters; Python refuses to read one of thousands
RESERVED = ("__classname__", "__id__", "__type")  # keys by which Airflow knows its own objects
MOST_PROBLEMS = 5  # in a message

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


class ResultError(Exception):
    """A stage wrote a malformed result; the message says what is wrong with it."""


class ResultNotStored(ResultError):
    """A result is JSON, but Airflow or PostgreSQL cannot store it; the message says where and why."""


class _Number(str):
    """A number as it is written, which cannot be stored."""

    __slots__ = ()


class _Twice(dict[str, Any]):
    """An object that holds the key `twice` more than once."""

    twice = ""


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


def read_json(raw: bytes) -> Any:
    """Return the JSON value in `raw`, which can be stored; raises as `parse_result` does."""
    try:
        text = raw.decode(json.detect_encoding(raw))
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_Number
        )
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise ResultError(f"the stage's result is not JSON: {where}; write it as UTF-8") from error
    except ValueError as error:
        raise ResultError(f"the stage's result is not JSON: {error}; write one JSON object") from error
    except RecursionError as error:
        raise ResultNotStored(f"the stage's result cannot be stored: $ {_TOO_DEEP}") from error
    problems = list(islice(_problems(value, "$", 1), MOST_PROBLEMS + 1))
    if problems:
        more = ["and more"] if len(problems) > MOST_PROBLEMS else []
        listed = "; ".join([*problems[:MOST_PROBLEMS], *more])
        raise ResultNotStored(f"the stage's result cannot be stored: {listed}")
    return value


_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep; make it flat"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        made = _Twice(made)
        made.twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return made


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= LONGEST_INTEGER else _Number(text)


def _float(text: str) -> float | str:
    number = float(text)
    # PostgreSQL returns 1e308 as an integer of 309 digits, which Airflow cannot send
    return number if abs(number) < MAX_INTEGER else _Number(text)


def _problems(value: Any, path: str, depth: int) -> Iterator[str]:
    """Yield why a value cannot be stored, each with the JSON path of what is wrong."""
    if isinstance(value, _Number):
        kind = "is not a number of 64 bits" if value[-1:].isdigit() else "is not JSON"
        yield f"{path} is {shown(value)[1:-1]}, which {kind}; write another number or null"
    elif isinstance(value, str):
        if problem := text_problem(value):
            yield f"{path} {problem}"
    elif isinstance(value, int):
        if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
            yield f"{path} is {value}, an integer of more than 64 bits; write it as text"
    elif isinstance(value, dict | list) and depth > MAX_DEPTH:
        yield f"{path if len(path) <= 2 * MAX_DEPTH else path[: 2 * MAX_DEPTH] + '…'} {_TOO_DEEP}"
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _problems(item, f"{path}[{position}]", depth + 1)
    elif isinstance(value, dict):
        yield from _problems_of_object(value, path, depth)


def _problems_of_object(value: dict[str, Any], path: str, depth: int) -> Iterator[str]:
    if isinstance(value, _Twice):
        yield f"{path}{_step(value.twice)} occurs twice; remove one"
    for key, item in value.items():
        where = f"{path}{_step(key)}"
        if problem := text_problem(key):
            yield f"{where}: its key {problem}"
        elif key in RESERVED:
            yield f"{where}: its key is reserved by Airflow; rename it"
        yield from _problems(item, where, depth + 1)


def _step(key: str) -> str:
    """Return a key as a part of a JSON path, in ASCII."""
    return f".{key}" if key.isascii() and key.isidentifier() else f"[{json.dumps(key[:40])}]"
