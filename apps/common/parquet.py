"""Parquet files that are either whole or absent."""

import errno
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from apps.common.files import write_atomic

NOTICE = "rankalpha.notice"  # key in the metadata of prices: what a reader must know about them


def write_parquet(
    path: Path,
    frame: pl.DataFrame,
    about: Mapping[str, str] | None = None,
    row_group_size: int | None = None,
) -> None:
    """Write a frame, with texts about it in the file's metadata. Raises NotWritten."""
    metadata = dict(about) if about else None

    def write(temporary: Path) -> None:
        try:
            frame.write_parquet(
                temporary, compression="zstd", metadata=metadata, row_group_size=row_group_size
            )
        except pl.exceptions.PolarsError as error:  # what the disk has answered is only in its text
            raise OSError(errno.EIO, str(error).strip().splitlines()[-1]) from error

    write_atomic(path, write)
