"""Errors as RFC 9457 describes them: type, title, status and detail. None repeats what was asked for."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

PROBLEM = "application/problem+json"
log = logging.getLogger("rankalpha.problems")


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    """Return the answer about an error; `detail` says what to do."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return JSONResponse(content, status, media_type=PROBLEM)


def refused(_request: Request, error: Exception) -> JSONResponse:
    """Answer with the status and the text of an HTTPException."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    answer = problem(status, getattr(error, "detail", str(error)))
    answer.headers.update(getattr(error, "headers", None) or {})  # such as Allow
    return answer


def invalid(_request: Request, error: Exception) -> JSONResponse:
    """Answer 422 with the faults and where they are; FastAPI's own answer would repeat the whole input."""
    faults: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{key: fault[key] for key in ("type", "loc", "msg")} for fault in faults]
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors)
    return problem(422, said, errors=errors)


def unexpected(request: Request, _error: Exception) -> JSONResponse:
    """Answer 500 without saying more; the server logs the traceback after this line."""
    log.error("%s %s met an unexpected error; its traceback follows", request.method, request.url.path)
    return problem(500, "an unexpected error; the log of this service has its traceback")
