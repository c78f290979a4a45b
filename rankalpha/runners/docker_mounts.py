"""Which of its volumes a stage's container can write to; for `rankalpha.runners.docker`.

A stage that is given versions cannot write to them. A volume that holds nothing but its inputs is read-only
as a whole. In the volume that holds its output too, it can write to the folder of its batch, or to all of it
when it prunes, but not to its inputs. That takes an engine that mounts a folder of a volume; an older one
lets it write there. A stage that is given no versions can write to all of its volumes but those that it
declares as read-only.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from docker import APIClient
from docker.types import Mount

from rankalpha.runners.file_system import RESULT_VOLUME
from rankalpha.stages.docker import Volume
from rankalpha.stages.given import folders_of
from rankalpha.stages.job import StageJob

FOLDERS_SINCE = "1.45"  # of Docker 26; by an older version of the API it would mount the whole volume instead


def takes_folders(client: APIClient) -> bool:
    """Return whether the engine mounts a folder of a volume."""
    version = client.head(f"{client.base_url}/_ping", timeout=client.timeout).headers.get("Api-Version", "0")
    return _numbers(version) >= _numbers(FOLDERS_SINCE)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def shares_a_volume(job: StageJob) -> bool:
    """Return whether a volume holds both the output of the job and what it reads."""
    return any(_written(volume, job) and _read(volume, job) for volume in job.stage.docker.volumes)


def mounts(job: StageJob, *, folders: bool) -> list[Mount]:
    """Return the mounts of a container; `folders` says whether a folder of a volume can be one."""
    made = [mount for volume in job.stage.docker.volumes for mount in _mounts(volume, job, folders)]
    return [*made, Mount(target=RESULT_VOLUME, source=None)]  # without a name: this container's own


def _mounts(volume: Volume, job: StageJob, folders: bool) -> Iterator[Mount]:
    read, written = _read(volume, job), _written(volume, job)
    if not read or (written and not folders):
        yield Mount(volume.target, volume.name, read_only=volume.read_only)
        return
    all_of_it = bool(written) and job.stage.prunes
    yield Mount(volume.target, volume.name, read_only=not all_of_it)
    if written:
        if not all_of_it:
            yield _folder(volume, str(PurePosixPath(written).parent), read_only=False)
        yield from (_folder(volume, path, read_only=True) for path in read)


def _folder(volume: Volume, path: str, *, read_only: bool) -> Mount:
    inside = str(PurePosixPath(path).relative_to(volume.target))
    return Mount(path, volume.name, read_only=read_only, subpath=inside)


def _read(volume: Volume, job: StageJob) -> list[str]:
    return sorted(path for path in folders_of(job.env)[1] if _is_in(volume, path))


def _written(volume: Volume, job: StageJob) -> str:
    output = folders_of(job.env)[0]
    return output if output and _is_in(volume, output) else ""


def _is_in(volume: Volume, path: str) -> bool:
    return PurePosixPath(path).is_relative_to(volume.target)
