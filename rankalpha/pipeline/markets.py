"""The markets, one table each of the file that RANKALPHA_MARKETS names, which documents itself.

Read once by each process, without any database or API: DAG files make a DAG of each market.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.pipeline.steps import FOLDERS, HOUSEKEEPING, SHAPE, STAGE_NAMES
from rankalpha.settings import SettingsError, settings
from rankalpha.texts import shown

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40  # characters of a name
# not allowed as names of markets: tags of DAGs, and folders of the default market's data
RESERVED = {"rankalpha", *HOUSEKEEPING, *(step.name for step in SHAPE), *FOLDERS}
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


def markets_to_parse() -> tuple[Market, ...]:
    """Return the markets to build DAGs for; inside a running task, only that task's market."""
    from airflow.sdk import get_parsing_context  # noqa: PLC0415  the Docker proxy has no Airflow

    dag_id = get_parsing_context().dag_id
    step = (dag_id or "").rpartition("_")[2]
    return tuple(market for market in markets() if dag_id == market.dag_id(step)) or markets()


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
    if problems:
        raise SettingsError("".join([f"fix {file}:", *(f"\n  {problem}" for problem in problems)]))
    return tuple(listed) or (DEFAULT_MARKET,)


def _problems(name: str, table: Any) -> Iterator[str]:
    label = name if name.isprintable() and len(name) <= LONGEST else shown(name)
    if not isinstance(table, dict):
        yield f"{label} = {shown(table)} is outside of a table; expected a table first, such as [default]"
        return
    where = f"[{label}]"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        yield (
            f"{where} is not a name of a market; expected lower-case letters, digits and single underscores, "
            f"a letter first, {LONGEST} characters at most"
        )
    elif name in RESERVED:
        yield f"{where} is already a tag of DAGs or a folder of data; rename the market"
    for key in table.keys() - set(KEYS):
        yield f"{where} {key} = {shown(table[key])}: unknown key; expected {', '.join(KEYS)}"
    try:
        Market(name=name, **{key: value for key, value in table.items() if key in KEYS})
    except ValidationError as error:
        for mistake in error.errors():
            key = ".".join(map(str, mistake["loc"]))
            reason = mistake["msg"].removeprefix("Value error, ")
            yield f"{where} {key} = {shown(mistake['input'])}: {reason}"
        return
    for stage in table.get("images", {}).keys() - set(STAGE_NAMES):
        image = shown(table["images"][stage])
        yield f"{where} images.{stage} = {image}: unknown stage; expected {', '.join(STAGE_NAMES)}"
