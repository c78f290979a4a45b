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

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40  # characters of a name
# no names of markets: tags of DAGs, and the folders of the default market's data, beside those of the others
RESERVED = {"rankalpha", *HOUSEKEEPING, *(step.name for step in SHAPE), *FOLDERS}
KEYS = tuple(name for name in Market.model_fields if name != "name")


@cache
def markets() -> tuple[Market, ...]:
    """Return all markets, as they stand in the file; without a table or a file the default one.

    Raises SettingsError naming each mistake with file, table, key, value and what is allowed.
    """
    file = settings().markets
    if file.exists() or "markets" in settings().model_fields_set:
        return read(file)
    return (DEFAULT_MARKET,)


def markets_to_parse() -> tuple[Market, ...]:
    """Return the markets that a DAG file makes DAGs of: when a task runs, which needs but one, that one's."""
    from airflow.sdk import get_parsing_context  # noqa: PLC0415  the Docker proxy has no Airflow

    dag_id = get_parsing_context().dag_id
    step = (dag_id or "").rpartition("_")[2]
    return tuple(one for one in markets() if dag_id == one.dag_id(step)) or markets()


def read(file: Path) -> tuple[Market, ...]:
    """Return the markets of a file; raises as `markets` does."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: no TOML, or no UTF-8
        said = getattr(error, "strerror", None) or error
        raise SettingsError(f"RANKALPHA_MARKETS={str(file)!r} cannot be read: {said}") from error
    found, problems = [], []
    for name, table in tables.items():
        if wrong := list(_problems(name, table)):
            problems += wrong
        else:
            found.append(Market(name=name, **table))
    if problems:
        raise SettingsError("".join([f"{file}, mend it:", *(f"\n  {problem}" for problem in problems)]))
    return tuple(found) or (DEFAULT_MARKET,)


def _problems(name: str, table: Any) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{name} = {table!r} stands in no table; begin one with its market's name, such as [default]"
        return
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        yield (
            f"[{name}]: a market's name has lower-case letters, digits and single underscores, "
            f"begins with a letter and has {LONGEST} characters at most; rename it"
        )
    elif name in RESERVED:
        yield f"[{name}]: this is a tag of DAGs or a folder of data already; rename the market"
    for key in table.keys() - set(KEYS):
        yield f"[{name}] {key} = {table[key]!r}: there is no such key; there are {', '.join(KEYS)}"
    try:
        Market(**{key: value for key, value in table.items() if key in KEYS})
    except ValidationError as error:
        for one in error.errors():
            where = ".".join(map(str, one["loc"]))
            yield f"[{name}] {where} = {one['input']!r}: {one['msg'].removeprefix('Value error, ')}"
        return
    for stage in table.get("images", {}).keys() - set(STAGE_NAMES):
        image, known = table["images"][stage], ", ".join(STAGE_NAMES)
        yield f"[{name}] images.{stage} = {image!r}: there is no such stage; there are {known}"
