"""What a Docker engine lacks, says and gives back, in terms of a stage; for `rankalpha.runners.docker`."""

import io
import re
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from aiodocker import DockerError
from aiohttp import ClientError
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound
from requests import RequestException
from urllib3.exceptions import HTTPError

from rankalpha.remedy import make_on_engine
from rankalpha.runners.base import (
    LONGEST_LINE,
    MAX_RESULT,
    Container,
    ContainerGone,
    EngineLost,
    Line,
    StageFailed,
    StageInvalid,
    check_result_file,
    shortened,
)
from rankalpha.runners.file_system import RESULT_PATH
from rankalpha.settings import settings
from rankalpha.stages.stage import StageJob
from rankalpha.texts import shown

PLAIN_FILE = 0o777  # Go's mode of a file: a folder, a link and the like have higher bits
# what Docker and runc say, with status 400 or 500, of a command or folder that is not there
NO_COMMAND = re.compile(r'exec: "|mkdir|not a directory|working directory')
# and what they say, with status 500, of a limit that the kernel does not take
NO_LIMIT = re.compile(r"cgroup.*(invalid argument|out of range)")
REFUSALS = (400, 403)
MISSING = 404
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# a proxy answers, the engine behind it does not; 900 is aiodocker's own, when nothing answers
NO_ENGINE = (502, 503, 504, 900)


def check_there(client: APIClient, job: StageJob) -> None:
    """Raise StageInvalid when the engine lacks something; it would make an empty volume without a word."""
    stage = job.stage
    network, volumes = stage.network, [volume.name for volume in stage.volumes]
    default = stage.market.folder == ""  # the volumes of other markets are not Compose's
    needed = [
        (
            client.inspect_image,
            "image",
            job.image,
            f"build or pull it on this engine, or set {stage.key('IMAGE')}",
        ),
        (client.inspect_network, "network", network, make_on_engine("network", network, by_compose=True)),
        *(
            (client.inspect_volume, "volume", name, make_on_engine("volume", name, by_compose=default))
            for name in volumes
        ),
    ]
    missing = [f"\n  {kind} {name!r}: {cure}" for ask, kind, name, cure in needed if not _is_there(ask, name)]
    if missing:
        raise StageInvalid(f"stage {stage.name} cannot start, the Docker engine lacks:{''.join(missing)}")


def _is_there(ask: Callable[[str], Any], name: str) -> bool:
    try:
        ask(name)
    except NotFound:
        return False
    return True


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Raise what an error of Docker's clients means while `what` is being done."""
    try:
        yield
    except NotFound as error:
        raise ContainerGone(f"there is no such container any more ({what}: {error.explanation})") from error
    except APIError as error:
        raise _meaning(what, error.status_code, error.explanation or str(error)) from error
    except DockerError as error:
        if error.status == MISSING:
            raise ContainerGone(f"there is no such container any more ({what}: {error.message})") from error
        raise _meaning(what, error.status, error.message) from error
    except (RequestException, HTTPError, ClientError, OSError) as error:
        raise _lost(what, str(error) or type(error).__name__) from error


@contextmanager
def starting(job: StageJob) -> Iterator[None]:
    """Raise what an error means while a container is created or started, with what a person can do."""
    what = f"starting stage {job.stage.name}"
    with asking(what):
        try:
            yield
        except APIError as error:
            said = error.explanation or str(error)
            if NO_COMMAND.search(said):
                command = f"{job.stage.key('COMMAND')}={job.command!r}"
                folder = job.stage.working_dir
                raise StageInvalid(
                    f"stage {job.stage.name}: {command} cannot be run in {folder}: {said}"
                ) from error
            if error.status_code in REFUSALS or NO_LIMIT.search(said):
                raise StageInvalid(
                    f"Docker refused stage {job.stage.name}: {said}; it was given {_given(job)}"
                ) from error
            raise
        except (DockerException, ValueError) as error:  # of docker-py, which has not asked the engine
            raise StageInvalid(
                f"Docker cannot be given stage {job.stage.name}: {error}; correct one of {_given(job)}"
            ) from error


def _given(job: StageJob) -> str:
    """Return the settings that an engine may refuse, with their values."""
    stage = job.stage
    limits = {
        "IMAGE": repr(job.image),
        "COMMAND": shown(job.command),
        "CPUS": f"{job.nano_cpus / 1e9:g}",
        "MEM": job.memory_bytes,
        "PIDS": job.pids,
    }
    return ", ".join(f"{stage.key(part)}={value}" for part, value in limits.items())


def _meaning(what: str, status: int | None, said: str) -> StageFailed:
    return _lost(what, said) if status in NO_ENGINE else StageFailed(f"Docker refused {what}: {said}")


def _lost(what: str, said: str) -> EngineLost:
    url = settings().docker_url
    return EngineLost(f"lost the Docker engine at RANKALPHA_DOCKER_URL={url} while {what}: {said}")


def container_of(found: Mapping[str, Any]) -> Container:
    """Return what Docker tells of a container."""
    state = found["State"]
    started, ended = _moment(state["StartedAt"]), _moment(state["FinishedAt"])
    running = bool(state["Running"])
    over = started is not None and not running
    return Container(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        labels=found["Config"]["Labels"] or {},
        running=running,
        created=_moment(found["Created"]) or EPOCH,
        started=started,
        ended=ended if over else None,
        status=state["ExitCode"] if over else None,
        out_of_memory=bool(state["OOMKilled"]),
        image=found["Config"]["Image"],
        image_id=found["Image"],
        memory_limit=found["HostConfig"]["Memory"] or None,  # 0 is Docker's "none"
    )


def _moment(text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    return moment if moment > EPOCH else None  # Docker's "never" is in the year 1


def unix_time(time: str) -> str:
    """Return an RFC 3339 time in UTC as Docker's `since` takes it: seconds.nanoseconds; 0 for no time."""
    if not time:
        return "0"
    seconds, _, rest = time.partition(".")
    whole = int(datetime.fromisoformat(seconds.rstrip("Z")).replace(tzinfo=UTC).timestamp())
    return f"{whole}.{rest.rstrip('Z') or 0}"


async def joined(frames: AsyncIterator[str]) -> AsyncGenerator[Line, None]:
    """Make lines of what the engine sends: `<time> <text>` each, a long line in several such pieces.

    The pieces of one line have one time; those of the other stream may stand between them.
    """
    begun: dict[str, tuple[str, int]] = {}
    async for frame in frames:
        time, _, piece = frame.partition(" ")
        text, unread = begun.pop(time, ("", 0))
        if len(text) <= LONGEST_LINE:  # of a longer one no more is needed
            text += piece
        else:
            unread += len(piece.rstrip("\n"))
        if piece.endswith("\n"):
            yield Line(time, shortened(text.rstrip(), unread))
        else:
            begun[time] = text, unread
    for time, (text, unread) in begun.items():
        yield Line(time, shortened(text.rstrip(), unread))


def result(client: APIClient, container: str, stage: str) -> bytes:
    """Copy the result out of a stopped container; StageInvalid for what cannot be one, without reading it."""
    try:
        chunks, stat = client.get_archive(container, RESULT_PATH, chunk_size=MAX_RESULT)
    except NotFound:  # RankAlpha's own images write none
        client.inspect_container(container)  # unless the container is not there either
        return b""
    # begun and closed in any case: until then the engine lets nobody touch the container, nor remove it
    with closing(chunks):
        raw = next(chunks, b"")
        check_result_file(stage, RESULT_PATH, stat["size"], plain=stat["mode"] <= PLAIN_FILE)
        raw += b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        file = archive.extractfile(archive.getmembers()[0])
        return file.read() if file else b""
