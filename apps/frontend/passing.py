"""Passes on what the grading API answers to those who read."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import Request, Response
from pydantic_core import from_json

from apps.common.problems import PROBLEM, problem

# what readers may ask for; the API's other routes grade and publish, some of them on a GET
READ = re.compile(r"batches|markets|changes|record|sparklines|symbols/(?!\.\.?(/|$))[^/]+(/history)?")
NOT_MODIFIED = 304


async def pass_on(request: Request, path: str, asked: Mapping[str, Any]) -> Response:
    """Answer what the API answers; 502 when it is down, or its answer is a fault of its own or not JSON."""
    asked_tag = request.headers.get("if-none-match")
    headers = {"If-None-Match": asked_tag} if asked_tag else {}
    try:
        answer = await request.app.state.api.get(
            f"/api/v1/grading/{path}", params=dict(asked), headers=headers
        )
    except httpx.TransportError as error:
        return problem(502, f"the grading API does not answer ({type(error).__name__})")
    # with an ETag a browser asks each time and is given nothing that it has
    tag = answer.headers.get("etag")
    kept = {"ETag": tag, "Cache-Control": "no-cache"} if tag else {"Cache-Control": "no-store"}
    if answer.status_code == NOT_MODIFIED:
        return Response(status_code=NOT_MODIFIED, headers=kept)
    try:
        from_json(answer.content)
    except ValueError:
        return problem(502, "the grading API answered with something that is not JSON")
    status = 502 if answer.is_server_error else answer.status_code
    kind = "application/json" if answer.is_success else PROBLEM
    return Response(answer.content, status, headers=kept, media_type=kind)
