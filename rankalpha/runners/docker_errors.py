"""What the errors of Docker's clients mean for a stage; for `rankalpha.runners.docker`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aiodocker import DockerError
from aiohttp import ClientError
from docker.errors import APIError, DockerException, NotFound
from requests import RequestException
from urllib3.exceptions import HTTPError

from rankalpha import remedy
from rankalpha.runners.failures import ContainerGone, EngineLost, StageFailed, StageInvalid
from rankalpha.settings import settings
from rankalpha.stages.given import folders_of
from rankalpha.stages.job import StageJob
from rankalpha.texts import shown

# what Docker and runc answer, with status 400 or 500, about a command or folder that does not exist
NO_COMMAND = re.compile(r'exec: "|mkdir|not a directory|working directory')
# and what they answer, with status 500, about a limit that the kernel does not accept
NO_LIMIT = re.compile(r"cgroup.*(invalid argument|out of range)")
# and what Docker answers about a folder of a volume that is not there; the path is the engine's own
NO_FOLDER = re.compile(r"cannot access path .*/_data/(?P<inside>[^ ]+): ")
REFUSALS = (400, 403)
MISSING = 404
# a proxy answers, the engine behind it does not; 900 is aiodocker's own, when nothing answers
NO_ENGINE = (502, 503, 504, 900)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Translate the errors of Docker's clients while `what` is being done."""
    try:
        yield
    except NotFound as error:
        raise ContainerGone(f"the container no longer exists ({what}: {error.explanation})") from error
    except APIError as error:
        raise _meaning(what, error.status_code, error.explanation or str(error)) from error
    except DockerError as error:
        if error.status == MISSING:
            raise ContainerGone(f"the container no longer exists ({what}: {error.message})") from error
        raise _meaning(what, error.status, error.message) from error
    except (RequestException, HTTPError, ClientError, OSError) as error:
        raise _lost(what, str(error) or type(error).__name__) from error


@contextmanager
def starting(job: StageJob) -> Iterator[None]:
    """Translate the errors of creating and starting a container, with what a person can do."""
    what = f"starting stage {job.stage.name}"
    with asking(what):
        try:
            yield
        except APIError as error:
            answer = error.explanation or str(error)
            if gone := NO_FOLDER.search(answer):
                raise StageInvalid(_missing(job, gone["inside"])) from error
            if NO_COMMAND.search(answer):
                command = f"{job.stage.key('COMMAND')}={job.command!r}"
                folder = job.stage.working_dir
                raise StageInvalid(
                    f"stage {job.stage.name}: {command} cannot be run in {folder}: {answer}"
                ) from error
            if error.status_code in REFUSALS or NO_LIMIT.search(answer):
                raise StageInvalid(
                    f"Docker refused stage {job.stage.name}: {answer}; its settings are {_limits(job)}"
                ) from error
            raise
        except (DockerException, ValueError) as error:  # docker-py's own, before it asks the engine
            raise StageInvalid(
                f"Docker cannot run stage {job.stage.name}: {error}; correct one of {_limits(job)}"
            ) from error


def _missing(job: StageJob, inside: str) -> str:
    """Return what to do about a folder of a volume that was to be mounted: a version that the stage reads."""
    gone = next((path for path in folders_of(job.env)[1] if f"/{inside}" in path), inside)
    return (
        f"stage {job.stage.name}: {gone}: missing, so this version was removed; run the stage that made it "
        f"again for this batch, or publish another version by `{remedy.command('publish-version')}`"
    )


def _limits(job: StageJob) -> str:
    """Return the settings that an engine may refuse, with their values."""
    stage = job.stage
    limits = {
        "IMAGE": repr(job.image),
        "COMMAND": shown(job.command),
        "CPUS": f"{job.cpus:g}",
        "MEM": job.memory_bytes,
        "PIDS": job.pids,
    }
    return ", ".join(f"{stage.key(part)}={value}" for part, value in limits.items())


def _meaning(what: str, status: int | None, answer: str) -> StageFailed:
    return _lost(what, answer) if status in NO_ENGINE else StageFailed(f"Docker refused {what}: {answer}")


def _lost(what: str, answer: str) -> EngineLost:
    url = settings().docker_url
    return EngineLost(f"lost the Docker engine at RANKALPHA_DOCKER_URL={url} while {what}: {answer}")
