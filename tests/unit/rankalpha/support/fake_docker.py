"""docker-py's client without its transport: it answers from memory and records each call in order."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, NotFound

from rankalpha.runners.base import GRACE_SECONDS
from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME

ID = "0123456789abcdef"
IMAGE_ID = "sha256:" + "1" * 64
NEVER = "0001-01-01T00:00:00Z"


def refused(explanation: str, status: int) -> APIError:
    """Return the error of an answer with that status."""
    response = requests.Response()
    response.status_code = status
    kind = NotFound if status == 404 else APIError
    return kind(explanation, response=response, explanation=explanation)


def found(name: str = "one", labels: dict[str, str] | None = None, **state: Any) -> dict[str, Any]:
    """Return what Docker tells of a container that was created and not started; `state` is what differs."""
    fresh = {"Running": False, "StartedAt": NEVER, "FinishedAt": NEVER, "ExitCode": 0, "OOMKilled": False}
    config = {"Labels": labels, "Env": None, "Image": "demo:1"}
    made = "2025-11-20T06:00:01.123456789Z"
    about = {"Id": ID, "Name": f"/{name}", "Created": made, "Image": IMAGE_ID, "Config": config}
    about["HostConfig"] = {"Memory": 2**29}
    return {**about, "State": {**fresh, **state}}


class Client(APIClient):
    """Knows one container; `fails` has the error of each call that shall fail."""

    def __init__(self) -> None:
        super().__init__(base_url="http://127.0.0.1:9", version="1.44")
        self.calls: list[str] = []
        self.created: dict[str, Any] = {}
        self.fails: dict[str, Exception] = {}
        self.result: bytes | None = None
        self.stat: dict[str, Any] = {}
        self.repo_digests: list[str] | None = None
        self.used: dict[str, Any] = {}
        self.put = b""
        self.engine_api = "1.45"

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.fails:
            raise self.fails[call]

    def head(self, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        assert (url, options["timeout"]) == ("http://127.0.0.1:9/_ping", self.timeout)
        self._note("ping")
        response = requests.Response()
        response.headers["Api-Version"] = self.engine_api
        return response

    def inspect_image(self, image: str) -> dict[str, Any]:
        self._note(f"image {image}")
        return {"Id": IMAGE_ID, "RepoDigests": self.repo_digests}

    def stats(self, container: str, stream: bool, one_shot: bool) -> dict[str, Any]:
        assert (stream, one_shot) == (False, True)
        self._note(f"stats {container}")
        return self.used

    def inspect_network(self, network: str) -> None:
        self._note(f"network {network}")

    def inspect_volume(self, volume: str) -> None:
        self._note(f"volume {volume}")

    def create_container_from_config(self, config: dict[str, Any], name: str, *_: Any) -> dict[str, Any]:
        self.created = config  # what docker-py would send, after its own checks
        self._note(f"create {name}")
        return {"Id": ID, "Warnings": []}

    def inspect_container(self, container: str) -> dict[str, Any]:
        self._note(f"inspect {container}")
        return found()

    def put_archive(self, container: str, path: str, data: bytes) -> None:
        assert path == RESULT_VOLUME
        self._note(f"put_archive {container}")
        self.put = data

    def start(self, container: str) -> None:
        self._note(f"start {container}")

    def get_archive(
        self, container: str, path: str, chunk_size: int
    ) -> tuple[Iterator[bytes], dict[str, Any]]:
        assert path == RESULT_PATH
        self._note(f"get_archive {container}")
        if self.result is None:
            raise refused("Could not find the file in container", 404)
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            entry = tarfile.TarInfo("result.json")
            entry.size = len(self.result)
            archive.addfile(entry, io.BytesIO(self.result))
        data = raw.getvalue()
        stat = {"name": entry.name, "mode": 0o644, "size": entry.size, **self.stat}
        return self._sent(data[:100], data[100:700], data[700:]), stat

    def _sent(self, *chunks: bytes) -> Iterator[bytes]:
        """Send chunks; the engine keeps the container to itself until they are read or refused."""
        try:
            yield from chunks
        finally:
            self.calls.append("sent")

    def stop(self, container: str, timeout: int) -> None:
        assert timeout == GRACE_SECONDS
        self._note(f"stop {container}")

    def remove_container(self, container: str, v: bool, force: bool) -> None:
        assert v
        assert force
        self._note(f"remove {container}")
