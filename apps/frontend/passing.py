"""Passes on what the grading API answers to those who read."""

import gzip
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import Request, Response
from pydantic_core import from_json

from apps.common.problems import PROBLEM, problem

# what readers may ask for; the API's other routes grade and publish, some of them on a GET
READ = re.compile(r"batches|markets|changes|record|sparklines|symbols/(?!\.\.?(/|$))[^/]+(/history)?")
NOT_MODIFIED = 304
MOST_KEPT, SMALLEST = 16, 2_000  # answers, bytes


@dataclass(frozen=True)
class Kept:
    """An answer of the API, checked and compressed once for as long as its tag is the same."""

    tag: str
    packed: bytes

    def response(self, request: Request) -> Response:
        """Answer it, compressed for a reader who takes that."""
        headers = _caching(self.tag) | {"Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(self.packed), headers=headers, media_type="application/json")
        headers["Content-Encoding"] = "gzip"
        return Response(self.packed, headers=headers, media_type="application/json")


def _caching(tag: str | None) -> dict[str, str]:
    """Return the headers by which a browser asks each time, and is given nothing that it has."""
    return {"ETag": tag, "Cache-Control": "no-cache"} if tag else {"Cache-Control": "no-store"}


async def pass_on(request: Request, path: str, asked: Mapping[str, Any]) -> Response:
    """Answer what the API answers; 502 when it is down, or its answer is a fault of its own or not JSON."""
    all_kept: OrderedDict[str, Kept] = request.app.state.kept
    address = str(httpx.URL(f"/api/v1/grading/{path}", params=dict(asked)))
    known, theirs = all_kept.get(address), request.headers.get("if-none-match")
    tag = known.tag if known else theirs
    try:
        answer = await request.app.state.api.get(address, headers={"If-None-Match": tag} if tag else {})
    except httpx.TransportError as error:
        return problem(502, f"the grading API does not answer ({type(error).__name__})")
    if answer.status_code == NOT_MODIFIED:
        if known and known.tag != theirs:
            return known.response(request)
        return Response(status_code=NOT_MODIFIED, headers=_caching(answer.headers.get("etag", tag)))
    return _checked(request, answer, address)


def _checked(request: Request, answer: httpx.Response, address: str) -> Response:
    """Answer what the API has answered anew, and keep it if it is large and has a tag."""
    try:
        from_json(answer.content)
    except ValueError:
        return problem(502, "the grading API answered with something that is not JSON")
    tag, all_kept = answer.headers.get("etag"), request.app.state.kept
    if answer.is_success and tag and len(answer.content) > SMALLEST:
        all_kept[address] = kept = Kept(tag, gzip.compress(answer.content, compresslevel=3))
        all_kept.move_to_end(address)
        while len(all_kept) > MOST_KEPT:
            all_kept.popitem(last=False)
        return kept.response(request)
    status = 502 if answer.is_server_error else answer.status_code
    kind = "application/json" if answer.is_success else PROBLEM
    return Response(answer.content, status, headers=_caching(tag), media_type=kind)
