"""What can be wrong with the record. None of it keeps grades from being shown."""

from pathlib import Path

from apps.common.stage import BadData, StageError

FIX = "run make rebuild-history, which writes it again from the published versions"


class Damaged(BadData):
    """A file of the record holds other bytes than were written."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} is damaged: {problem}; {FIX}")


class NotRead(StageError):
    """A file of the record may be whole, and the disk does not give it out."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be read: {error.strerror or error}; let the API's user read it")


class Busy(StageError):
    """Another one has been writing the record for too long to wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is being written by another request; the next grading adds what is missing"
        )


def fault(path: Path, error: Exception) -> StageError:
    """Return what an error says about a file."""
    return NotRead(path, error) if isinstance(error, OSError) else Damaged(path, first_line(error))


def first_line(error: Exception) -> str:
    """Return the first line of an error's text; those of polars are long."""
    return str(error).strip().partition("\n")[0]
