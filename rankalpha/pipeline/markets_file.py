"""Writes the file of the markets.

What the text says after a change is compared with what was wanted, so that a file in a form that
`rankalpha.pipeline.markets_text` does not know is refused and not spoilt.
"""

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tomlkit.exceptions import TOMLKitError

from rankalpha.pipeline.markets import read
from rankalpha.pipeline.markets_text import changed_text
from rankalpha.settings import SettingsError


def rewrite(file: Path, market: str, table: Mapping[str, Any]) -> None:
    """Replace the table of a market in a file, or raise SettingsError and change nothing."""
    file = file.resolve()  # a link stays one
    text = file.read_text(encoding="utf-8")
    wanted = {**tomllib.loads(text), market: table}
    try:
        changed = changed_text(text, market, table)
        found = tomllib.loads(changed)
    except (ValueError, TOMLKitError, LookupError, TypeError) as error:
        raise SettingsError(_by_hand(file, market)) from error
    if found != wanted:
        raise SettingsError(_by_hand(file, market))
    try:
        _replace(file, changed)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written: {error.strerror}; run this in the checkout that the stack is of"
        ) from error


def _replace(file: Path, text: str) -> None:
    """Write a file in one step, once the reader of the markets has read the text."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        temporary.chmod(file.stat().st_mode)
        read(temporary)
        temporary.replace(file)
    except SettingsError as error:
        raise SettingsError(str(error).replace(name, str(file))) from error
    finally:
        temporary.unlink(missing_ok=True)


def _by_hand(file: Path, market: str) -> str:
    return (
        f"{file} has market {market} in a form that this does not change; give it and each of its variants a "
        f"table with a header, such as [{market}]"
    )
