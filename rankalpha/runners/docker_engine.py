"""What a Docker engine lacks, answers and returns, in terms of a stage; for `rankalpha.runners.docker`."""

import io
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound

from rankalpha.remedy import make_on_engine
from rankalpha.runners.container import Container
from rankalpha.runners.docker_errors import NO_FOLDER
from rankalpha.runners.failures import StageInvalid
from rankalpha.runners.file_system import RESULT_PATH
from rankalpha.runners.identity import is_set_aside
from rankalpha.runners.result_file import MAX_RESULT, check_result_file
from rankalpha.stages.job import StageJob

PLAIN_FILE = 0o777  # Go's mode of a file: a folder, a link and the like have higher bits
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_there(client: APIClient, job: StageJob) -> None:
    """Raise StageInvalid when the engine lacks something; it would create an empty volume silently."""
    stage = job.stage
    network, volumes = stage.docker.network, [volume.name for volume in stage.docker.volumes]
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
    missing = [f"\n  {kind} {name!r}: {fix}" for ask, kind, name, fix in needed if not _exists(ask, name)]
    if missing:
        raise StageInvalid(f"stage {stage.name} cannot start, the Docker engine lacks:{''.join(missing)}")


def _exists(ask: Callable[[str], Any], name: str) -> bool:
    try:
        ask(name)
    except NotFound:
        return False
    return True


def container_of(inspected: Mapping[str, Any]) -> Container:
    """Return a container from Docker's description of it."""
    state, name = inspected["State"], inspected["Name"].removeprefix("/")
    started, ended = _moment(state["StartedAt"]), _moment(state["FinishedAt"])
    running = bool(state["Running"])
    over = started is not None and not running
    return Container(
        id=inspected["Id"],
        name=name,
        labels=inspected["Config"]["Labels"] or {},
        running=running,
        created=_moment(inspected["Created"]) or EPOCH,
        started=started,
        ended=ended if over else None,
        status=state["ExitCode"] if over else None,
        out_of_memory=bool(state["OOMKilled"]),
        set_aside=is_set_aside(name),
        image=inspected["Config"]["Image"],
        image_id=inspected["Image"],
        memory_limit=inspected["HostConfig"]["Memory"] or None,  # 0 is Docker's "none"
    )


def _moment(text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    return moment if moment > EPOCH else None  # Docker's "never" is in the year 1


def result(client: APIClient, container: str, stage: str) -> bytes:
    """Return the result from a stopped container; StageInvalid when it cannot be one or lacks an input."""
    try:
        chunks, stat = client.get_archive(container, RESULT_PATH, chunk_size=MAX_RESULT)
    except NotFound:  # RankAlpha's own images write none
        client.inspect_container(container)  # which fails when the container is gone too
        return b""
    except APIError as error:
        if gone := NO_FOLDER.search(error.explanation or ""):  # for each copy all mounts are made again
            raise StageInvalid(
                f"stage {stage}: {gone['inside']}: removed before the result was collected; run the stage "
                "again on what is published now"
            ) from error
        raise
    # begun and closed in any case: until then the engine refuses every change of the container
    with closing(chunks):
        raw = next(chunks, b"")
        check_result_file(stage, RESULT_PATH, stat["size"], plain=stat["mode"] <= PLAIN_FILE)
        raw += b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        file = archive.extractfile(archive.getmembers()[0])
        return file.read() if file else b""
