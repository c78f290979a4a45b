"""Env files: KEY=VALUE lines."""

import os
import re
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from rankalpha.settings import SettingsError
from rankalpha.texts import shown
from rankalpha.usable import key_problem, text_problem


def read_env_file(path: Path) -> dict[str, str]:
    """Read KEY=VALUE lines; raise SettingsError naming file and line of the first one that is not."""
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
        if problem := _problem(binding):
            text = binding.original.string
            blank = text[: len(text) - len(text.lstrip())]  # a binding includes the blank lines before it
            raise SettingsError(f"{path}, line {binding.original.line + blank.count(chr(10))}: {problem}")
    return {binding.key: binding.value or "" for binding in bindings if binding.key}


def _problem(binding: Binding) -> str:
    """Return what is wrong with a line, without its value, which may be a secret."""
    if binding.error or (binding.key is not None and binding.value is None):
        word = re.split(r"[=:\s]", binding.original.string.strip())[0][:40]
        return f"expected KEY=VALUE, found {word!r}"
    if binding.key is None:  # a comment
        return ""
    if problem := key_problem(binding.key):
        return f"the key {shown(binding.key)} {problem}"
    problem = text_problem(binding.value or "")
    return f"the value of {binding.key} {problem}" if problem else ""
