"""Reads JSON of a stage or a service that Airflow and PostgreSQL can store, and names what they cannot."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rankalpha.texts import shown
from rankalpha.usable import text_problem

MAX_DEPTH = 64  # levels of nested objects and lists; Airflow cannot send about 900
MAX_INTEGER = 2**63 - 1  # what Airflow sends has 64 bits
LONGEST_INTEGER = 30  # characters; Python refuses to read one of thousands
RESERVED = ("__classname__", "__id__", "__type")  # keys by which Airflow knows its own objects
MOST_PROBLEMS = 5  # in a message
_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep; make it flat"


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


def read_json(raw: bytes) -> Any:
    """Return the JSON value in `raw`; ResultError when it is not JSON, or ResultNotStored."""
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
