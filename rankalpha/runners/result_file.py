"""Which file can be a result: its form and its size, before it is read."""

from rankalpha.runners.failures import StageInvalid

MAX_RESULT = 1024 * 1024  # bytes of a result that are read; `stages.result` has its own limit


def check_result_file(stage: str, path: str, size: int, *, plain: bool) -> None:
    """Raise StageInvalid for a result that is too large or not a plain file, before it is read."""
    if not plain:
        raise StageInvalid(f"stage {stage}: its result {path} is not a plain file; write JSON to it")
    if size > MAX_RESULT:
        raise StageInvalid(
            f"stage {stage}: its result {path} has {size} bytes, of {MAX_RESULT} at most; "
            "report figures, and keep data in the volumes"
        )
