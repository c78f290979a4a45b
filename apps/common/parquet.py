"""Parquet files that are either whole or absent."""

import errno
from pathlib import Path

import polars as pl

from apps.common.files import write_atomic


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame. Raises NotWritten when the disk does not take it."""

    def write(temporary: Path) -> None:
        try:
            frame.write_parquet(temporary, compression="zstd")
        except pl.exceptions.PolarsError as error:  # what the disk has answered is only in its text
            raise OSError(errno.EIO, str(error).strip().splitlines()[-1]) from error

    write_atomic(path, write)
