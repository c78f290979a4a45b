"""What a Docker engine lacks, says and gives back, in terms of a stage; for `rankalpha.runners.docker`."""

import io
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound

from rankalpha.runners.base import StageFailed, StageInvalid
from rankalpha.settings import settings
from rankalpha.stage import RESULT_PATH, StageJob

MAX_RESULT = 1024 * 1024
PLAIN_FILE = 0o777  # Go's mode of a file: a folder, a link and the like have higher bits
SIGKILLED = 137
# what Docker and runc say, with status 400 or 500, of a command or folder that is not there
NO_COMMAND = re.compile(r'exec: "|mkdir|not a directory|working directory')
REFUSALS = (400, 403)
NO_ENGINE = (502, 503, 504)  # a proxy answers, the engine behind it does not


def check_there(client: APIClient, job: StageJob) -> None:
    """Raise StageInvalid when the engine lacks something; it would make an empty volume without a word."""
    stage = job.stage
    made_by = "`docker compose up` makes it, or `docker {0} create {1}`"
    needed = [
        (
            client.inspect_image,
            "image",
            job.image,
            f"build or pull it on this engine, or set {stage.key('IMAGE')}",
        ),
        (client.inspect_network, "network", stage.network, made_by),
        *((client.inspect_volume, "volume", volume.name, made_by) for volume in stage.volumes),
    ]
    missing = [
        f"\n  {kind} {name!r}: {cure.format(kind, name)}"
        for ask, kind, name, cure in needed
        if not _is_there(ask, name)
    ]
    if missing:
        raise StageInvalid(f"stage {stage.name} cannot start, the Docker engine lacks:{''.join(missing)}")


def _is_there(ask: Callable[[str], Any], name: str) -> bool:
    try:
        ask(name)
    except NotFound:
        return False
    return True


def explained(error: Exception, job: StageJob) -> StageFailed:
    """Return what an error of Docker's client means for the stage, with what a person can do about it."""
    stage = job.stage
    lost = f"lost the Docker engine at RANKALPHA_DOCKER_URL={settings().docker_url} during stage {stage.name}"
    if not isinstance(error, APIError):
        return StageFailed(f"{lost}: {error}")
    said, status = error.explanation or str(error), error.status_code
    if status in NO_ENGINE:
        return StageFailed(f"{lost}: {said}")
    if NO_COMMAND.search(said):
        what = f"{stage.key('COMMAND')}={job.command!r}"
        return StageInvalid(f"stage {stage.name}: {what} cannot be run in {stage.working_dir}: {said}")
    return (StageInvalid if status in REFUSALS else StageFailed)(f"Docker refused stage {stage.name}: {said}")


def memory_hint(job: StageJob, status: int, oom_killed: bool) -> str:
    """Return what to do when the kernel has killed something in the container, else an empty string."""
    if oom_killed:  # Docker says so too when it was a child, and the stage went on without it
        now = f"{job.memory_bytes // 1024**2}m"
        return f" A process of it was killed for want of memory: raise {job.stage.key('MEM')}, now {now}."
    return " It was killed, and not for its memory limit." if status == SIGKILLED else ""


def result(client: APIClient, container: str, job: StageJob) -> bytes:
    """Copy the result out of a stopped container; StageInvalid for what cannot be one, without reading it."""
    try:
        chunks, stat = client.get_archive(container, RESULT_PATH, chunk_size=MAX_RESULT)
    except NotFound:  # RankAlpha's own images write none
        return b""
    # begun and closed in any case: until then the engine lets nobody touch the container, nor remove it
    with closing(chunks):
        raw = next(chunks, b"")
        if stat["mode"] > PLAIN_FILE:
            raise StageInvalid(f"stage {job.stage.name}: its result {RESULT_PATH} is not a plain file")
        if stat["size"] > MAX_RESULT:
            size = f"{stat['size']} bytes, of {MAX_RESULT} at most"
            raise StageInvalid(f"stage {job.stage.name}: its result {RESULT_PATH} has {size}")
        raw += b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        file = archive.extractfile(archive.getmembers()[0])
        return file.read() if file else b""


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Split the output into lines; a chunk may end anywhere, also within a character."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip() for line in whole)
    if rest:
        yield rest.decode(errors="replace").rstrip()
