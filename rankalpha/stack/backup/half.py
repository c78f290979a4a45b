"""A restore that ended between the database and the data; a stack in that state must not start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rankalpha import remedy
from rankalpha.settings import SettingsError, settings
from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.keys import KEYS_FILE

NAME = "half-restored"


def _mark() -> Path:
    """Return the file that is there while a restore replaces something; what starts a stack can read it."""
    return (Path(settings().stack) if settings().stack else KEYS_FILE.parent) / NAME


@contextmanager
def marked() -> Iterator[None]:
    """Mark the stack until this has succeeded, or until a BackupError, after which all is as it was."""
    _mark().touch()
    try:
        yield
    except BackupError:
        _mark().unlink()
        raise
    _mark().unlink()


def refuse_half() -> None:
    """Raise SettingsError when a restore of this stack was interrupted."""
    if _mark().exists():
        raise SettingsError(
            "a restore was interrupted, so that database and data may not belong together; "
            f"run it again: `{remedy.restore()}`"
        )
