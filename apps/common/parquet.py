"""Parquet files that are either whole or absent.

A sealed one has its own SHA-256 in its metadata, where a text of the same length stood when it was taken. The
format itself notices few damages: a changed bit mostly gives another number, and no error.
"""

import errno
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import polars as pl

from apps.common.files import write_atomic

NOTICE = "rankalpha.notice"  # key in the metadata of prices: what a reader must know about them
SEAL = "rankalpha.sha256"
BLANK = b"the SHA-256 of this file with this text in place of the digits.."  # as long as they are
DIGITS = re.compile(rb".{1,4}?([0-9a-f]{64})", re.DOTALL)  # after the key and the mark of a text's length


def write_parquet(
    path: Path,
    frame: pl.DataFrame,
    about: Mapping[str, str] | None = None,
    *,
    row_group_size: int | None = None,
    data_page_size: int | None = None,
    sealed: bool = False,
) -> None:
    """Write a frame, with texts about it in the file's metadata. Raises NotWritten."""
    metadata = {**(about or {}), **({SEAL: BLANK.decode()} if sealed else {})}

    def write(temporary: Path) -> None:
        try:
            frame.write_parquet(
                temporary,
                compression="zstd",
                metadata=metadata or None,
                row_group_size=row_group_size,
                data_page_size=data_page_size,
            )
        except pl.exceptions.PolarsError as error:  # what the disk has answered is only in its text
            raise OSError(errno.EIO, str(error).strip().splitlines()[-1]) from error
        if sealed:
            content = temporary.read_bytes()
            start = content.rindex(BLANK)  # the metadata are at the end
            digits = sha256(content).hexdigest().encode()
            temporary.write_bytes(content[:start] + digits + content[start + len(BLANK) :])

    write_atomic(path, write)


def is_sealed(content: bytes) -> bool:
    """Return whether a sealed file has the bytes that were written; nothing else of it is read."""
    found = DIGITS.match(content, content.rfind(SEAL.encode()) + len(SEAL))
    if found is None:
        return False
    start, end = found.span(1)
    digest = sha256(content[:start])
    digest.update(BLANK)
    digest.update(content[end:])
    return digest.hexdigest().encode() == found[1]
