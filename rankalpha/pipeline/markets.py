"""The markets, one table each of the file that RANKALPHA_MARKETS names, which documents itself.

Read once by each process, without any database or API: DAG files make a DAG of each market.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from rankalpha.pipeline.challenger import Challenger, challengers_of
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.pipeline.steps import EVERY, FOLDERS, HOUSEKEEPING, STAGE_NAMES, TRAINING
from rankalpha.pipeline.training import Training
from rankalpha.pipeline.variant import Variant
from rankalpha.settings import SettingsError, settings
from rankalpha.texts import shown

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40  # characters of a name
# not allowed as names of markets: tags of DAGs, and folders of the default market's data
RESERVED = {"rankalpha", *HOUSEKEEPING, *(step.name for step in EVERY), *FOLDERS}
M = TypeVar("M", bound=Market)
KEYS = tuple(name for name in Market.model_fields if name != "name")


@cache
def markets() -> tuple[Market, ...]:
    """Return all markets in the order of the file; without a table or a file the default market.

    Raises SettingsError that names each mistake with file, table, key, value and what is expected.
    """
    file = settings().markets
    if file.exists() or "markets" in settings().model_fields_set:
        return read(file)
    return (DEFAULT_MARKET,)


def challengers() -> tuple[Challenger, ...]:
    """Return the challengers of all markets; raises like `markets`."""
    return tuple(challenger for market in markets() for challenger in challengers_of(market))


def markets_to_parse(step: str) -> tuple[Market, ...]:
    """Return the markets to build a step's DAGs for, and the challengers that have the step of their own.

    Inside a running task, only that task's.
    """
    return _to_parse(
        step, (*markets(), *(challenger for challenger in challengers() if challenger.has(step)))
    )


def challengers_to_parse(step: str) -> tuple[Challenger, ...]:
    """Return the challengers to build the DAGs of a step for that they alone have; see `markets_to_parse`."""
    return _to_parse(step, challengers())


def trainers_to_parse() -> tuple[tuple[Market, Training], ...]:
    """Return the markets to build a DAG for that trains models, with how; see `markets_to_parse`."""
    found = _to_parse(TRAINING.name, tuple(market for market in markets() if market.training))
    return tuple((market, market.training) for market in found if market.training)


def _to_parse(step: str, every: tuple[M, ...]) -> tuple[M, ...]:
    from airflow.sdk import get_parsing_context  # noqa: PLC0415  the Docker proxy has no Airflow

    dag_id = get_parsing_context().dag_id
    return tuple(market for market in every if dag_id == market.dag_id(step)) or every


def read(file: Path) -> tuple[Market, ...]:
    """Return the markets of a file; raises like `markets`."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not TOML, or not UTF-8
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"RANKALPHA_MARKETS={str(file)!r} cannot be read: {reason}") from error
    listed, problems = [], []
    for name, table in tables.items():
        if of_table := list(_problems(name, table)):
            problems += of_table
        else:
            listed.append(Market(name=name, **table))
    if problems := problems or list(_same_names(listed)):
        raise SettingsError("".join([f"fix {file}:", *(f"\n  {problem}" for problem in problems)]))
    return tuple(listed) or (DEFAULT_MARKET,)


def _problems(name: str, table: Any) -> Iterator[str]:
    label = _label(name)
    if not isinstance(table, dict):
        yield f"{label} = {shown(table)} is outside of a table; expected a table first, such as [default]"
        return
    where = f"[{label}]"
    yield from _problems_of_name(where, "market", name)
    for key in table.keys() - set(KEYS):
        yield f"{where} {key} = {shown(table[key])}: unknown key; expected {', '.join(KEYS)}"
    try:
        market = Market(name=name, **{key: value for key, value in table.items() if key in KEYS})
    except ValidationError as error:
        for mistake in error.errors():
            key = ".".join(map(str, mistake["loc"]))
            reason = mistake["msg"].removeprefix("Value error, ")
            if mistake["type"] == "extra_forbidden":
                known = Training if mistake["loc"][0] == "training" else Variant
                reason = f"unknown key; expected {', '.join(known.model_fields)}"
            yield f"{where} {key} = {shown(mistake['input'])}: {reason}"
        return
    for variant in market.variants:
        yield from _problems_of_name(f"{where} variants.{_label(variant)}", "variant", variant)
    for stage in table.get("images", {}).keys() - set(STAGE_NAMES):
        image = shown(table["images"][stage])
        yield f"{where} images.{stage} = {image}: unknown stage; expected {', '.join(STAGE_NAMES)}"


def _label(name: str) -> str:
    return name if name.isprintable() and len(name) <= LONGEST else shown(name)


def _problems_of_name(where: str, what: str, name: str) -> Iterator[str]:
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        yield (
            f"{where} is not a name of a {what}; expected lower-case letters, digits and single underscores, "
            f"a letter first, {LONGEST} characters at most"
        )
    elif name in RESERVED:
        yield f"{where} is already a tag of DAGs or a folder of data; rename the {what}"


def _same_names(listed: list[Market]) -> Iterator[str]:
    """Yield the variants whose DAGs would have the names of another market's, or of its variant's."""
    taken = {market.folder: f"[{market.name}]" for market in listed}
    for challenger in (each for market in listed for each in challengers_of(market)):
        where = f"[{challenger.name}.variants.{challenger.variant}]"
        if other := taken.get(challenger.own):
            yield f"{where} would have the DAGs and datasets of {other}; rename one of the two"
        taken[challenger.own] = where
