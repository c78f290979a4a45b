"""Env files: KEY=VALUE lines."""

from pathlib import Path

from dotenv.parser import parse_stream

from rankalpha.settings import SettingsError


def read_env_file(path: Path) -> dict[str, str]:
    """Read KEY=VALUE lines; raise SettingsError naming file and line of the first that is none."""
    if not path.is_file():
        raise SettingsError(f"{path} is missing; env/example/{path.name} documents its keys")
    with path.open(encoding="utf-8") as stream:
        bindings = list(parse_stream(stream))
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            text = binding.original.string
            line = binding.original.line + len(text) - len(text.lstrip("\n"))
            raise SettingsError(f"{path}, line {line}: expected KEY=VALUE, found {text.strip().split('=')[0][:40]!r}")
    return {binding.key: binding.value or "" for binding in bindings if binding.key}
