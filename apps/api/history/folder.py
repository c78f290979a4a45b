"""The folder of a market's record, with a file for each month."""

from pathlib import Path

from apps.api.history.months import Month


def folder_of(root: Path) -> Path:
    """Return the folder of a market's record."""
    return root / "grades" / "history"


def months(root: Path) -> list[Month]:
    """Return the files of a market's record, oldest first."""
    return [Month(path) for path in sorted(folder_of(root).glob("????-??.parquet"))]


def month_of(root: Path, batch: str) -> Month:
    """Return the file that holds a batch, or would."""
    return Month(folder_of(root) / f"{batch[:7]}.parquet")
