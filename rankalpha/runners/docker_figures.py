"""What a Docker engine reports of a container's use and image; for `rankalpha.runners.docker`."""

from collections.abc import Mapping
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound
from docker.utils import parse_repository_tag

from rankalpha.runners.container import Container, Usage


def usage_of(stats: Mapping[str, Any]) -> Usage | None:
    """Return what Docker's `stats` report; None for a container that has ended, which they report as zeros.

    Memory is what counts against the container's limit, cached files included. Cgroup v1 reports the peak
    until now, v2 only the present use.
    """
    cpu = stats["cpu_stats"]["cpu_usage"]["total_usage"]
    memory = stats["memory_stats"]
    peak = memory.get("max_usage") or memory.get("usage")
    return {"cpu_seconds": cpu / 1e9, "peak_memory_bytes": peak} if cpu and peak else None


def pinned(client: APIClient, container: Container) -> str:
    """Return a name that means the container's image for good: by a registry's digest, else its id.

    `name:tag@sha256:...` can be pulled, `sha256:...` is of this engine alone. Docker runs both.
    """
    try:
        inspected = client.inspect_image(container.image_id)  # type: ignore[no-untyped-call]
        known = inspected["RepoDigests"] or ()
    except APIError:  # the image no longer exists, because it was removed by force
        known = ()
    if "@" in container.image:
        return container.image
    digests = dict(name.split("@") for name in known)  # by repository
    repository, _ = parse_repository_tag(container.image)
    if repository in digests:
        return f"{container.image}@{digests[repository]}"
    return next(iter(known), container.image_id)


def image_id(client: APIClient, image: str) -> str | None:
    """Return the id of the image that a name means now; None when there is none."""
    try:
        return str(client.inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
    except NotFound:
        return None
