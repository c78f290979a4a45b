"""ETags from the files that an answer is made of, so that nothing has to be read for a reader who has it."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

from apps.common.compared import marks

FORM = "1"  # changes when the same files are answered in another form


class NotModified(Exception):
    """The reader has this answer."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def fresh(request: Request, response: Response, paths: Iterable[Path]) -> None:
    """Give the answer its ETag. Raises NotModified when the request names it."""
    made_of = FORM, request.url.path, request.url.query, [(str(path), marks(path)) for path in paths]
    etag = f'W/"{sha256(repr(made_of).encode()).hexdigest()[:32]}"'
    asked = request.headers.get("if-none-match", "")
    if etag in (each.strip() for each in asked.split(",")):
        raise NotModified(etag)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "no-cache"  # a reader asks each time, with the ETag


def not_modified(_request: Request, error: Exception) -> Response:
    """Answer 304."""
    return Response(status_code=304, headers={"ETag": str(error), "Cache-Control": "no-cache"})
