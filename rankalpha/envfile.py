"""Env files: KEY=VALUE lines."""

import os
import re
from pathlib import Path

from dotenv.parser import parse_stream

from rankalpha.settings import SettingsError


def read_env_file(path: Path) -> dict[str, str]:
    """Read KEY=VALUE lines; raise SettingsError naming file and line of the first that is none."""
    if not path.is_file():
        raise SettingsError(f"{path} is missing; env/example/{path.name} documents its keys")
    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read by user {os.getuid()}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            text = binding.original.string
            blank = text[: len(text) - len(text.lstrip())]  # a binding begins with the blank lines before it
            line = binding.original.line + blank.count("\n")
            word = re.split(r"[=:\s]", text.strip())[0][:40]  # the rest of the line may be a secret
            raise SettingsError(f"{path}, line {line}: expected KEY=VALUE, found {word!r}")
    return {binding.key: binding.value or "" for binding in bindings if binding.key}
