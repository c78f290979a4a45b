"""Which folders the embedded stack can live in."""

import os
import tempfile
from pathlib import Path

from rankalpha.settings import SettingsError

HARMLESS = "/._-"  # in a path, beside letters and digits
EXPANDED = '"\\%$[]*?'  # what the supervisor, Airflow and polars expand in the path of the checkout
LONGEST_RUNTIME_DIR = 107 - len(
    "/supervisor-0123456789ab.sock"
)  # bytes; the name of PostgreSQL's socket is shorter


def check_checkout(root: Path) -> None:
    """Refuse a checkout whose path is expanded somewhere."""
    expanded = {character for character in str(root) if character in EXPANDED or not character.isprintable()}
    _refuse("the checkout", root, expanded, "move it")


def check_state_folder(state: Path) -> None:
    """Refuse a folder whose path PostgreSQL or the supervisor would misread."""
    _refuse("the state folder", state, _special(state), "choose another folder with RANKALPHA_STATE_DIR")


def runtime_dir() -> Path:
    """Return the folder of this user's sockets and locks, whose paths may have 107 characters at most."""
    folder = Path(tempfile.gettempdir(), f"rankalpha-{os.getuid()}")
    _refuse("the folder of temporary files", folder, _special(folder), "set TMPDIR to another one")
    if len(os.fsencode(folder)) > LONGEST_RUNTIME_DIR:
        raise SettingsError(f"the path {str(folder)!r} is too long for sockets; set TMPDIR to a shorter one")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise SettingsError(
            f"{folder} belongs to another user; remove it, or set TMPDIR to a folder of yours"
        )
    return folder


def _special(path: Path) -> set[str]:
    """Return the characters of a path that PostgreSQL, its address or the supervisor would misread."""
    return {character for character in str(path) if not (character.isalnum() or character in HARMLESS)}


def _refuse(what: str, path: Path, wrong: set[str], remedy: str) -> None:
    if wrong:
        raise SettingsError(
            f"{what} {str(path)!r} cannot be used because its path contains "
            f"{', '.join(map(repr, sorted(wrong)))}; {remedy}"
        )
