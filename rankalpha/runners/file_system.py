"""What a stage's container can write to besides its data: a `/tmp` in memory, and the folder of its result.

The root file system is read-only. A file in `/tmp` is gone when the container stops, and the result is read
after that. So the result lies in a volume without a name, which belongs to the container and goes with it.
Such a volume is root's; the folder in it lets every user of an image write.
"""

import io
import re
import tarfile

TMP = "/tmp"  # noqa: S108  in the container, which has its own
RESULT_VOLUME = "/run/rankalpha"
RESULT_PATH = f"{RESULT_VOLUME}/out/result.json"
OPEN_TO_ALL = 0o1777  # no user can remove the files of another

# programs may run there, as in an image's own /tmp; without a size it could take all memory
_OPTIONS = "rw,exec,nosuid,nodev,mode=1777,size="
_TMPFS = re.compile(re.escape(_OPTIONS) + "[1-9][0-9]{0,17}")


def tmpfs(size: int | str) -> dict[str, str]:
    """Return Docker's `Tmpfs` of a container whose `/tmp` takes `size` bytes."""
    return {TMP: f"{_OPTIONS}{size}"}


def is_bounded(mounts: dict[str, str]) -> bool:
    """Return whether a `Tmpfs` is that of a stage, of whatever size."""
    return mounts.keys() == {TMP} and bool(_TMPFS.fullmatch(mounts[TMP]))


def result_folder() -> bytes:
    """Return the archive that creates the result's folder in its volume."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        folder = tarfile.TarInfo("out")
        folder.type, folder.mode = tarfile.DIRTYPE, OPEN_TO_ALL
        archive.addfile(folder)
    return packed.getvalue()
