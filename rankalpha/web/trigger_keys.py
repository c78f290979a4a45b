"""Refuses to trigger a DAG with a partition key that can be of no batch, before there is a run.

Airflow takes any text as a partition key. The run would fail at once, but it would be there, and be alerted.
This is a middleware of Airflow's API server, which plugins may add. It has its say only when Airflow itself
would let the caller trigger the DAG; all else it passes on, so that Airflow answers as ever.
"""

import json
import logging
import re
from typing import Any

from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from fastapi import HTTPException, Request, status
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rankalpha.joins.published import lacking
from rankalpha.pipeline.batch import BatchError, never_published, parse_key
from rankalpha.pipeline.pipelines import pipeline_of
from rankalpha.web.page.routes import may

log = logging.getLogger(__name__)

TRIGGER = re.compile(r"/api/v2/dags/([^/]+)/dagRuns/?")


class TriggerKeys:
    """The middleware: answers 400, as Airflow does to a wrong request, or lets Airflow answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at a request that triggers one of our DAGs with a key."""
        triggered = scope["type"] == "http" and scope["method"] == "POST" and _triggered(scope["path"])
        if not triggered:
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        request = Request(scope, replay := _again(body, receive))
        try:
            problem = await _problem(request, str(triggered), _key(body))
        except Exception:  # then the run fails, as it would without this
            log.exception("The partition key for %s could not be checked", triggered)
            problem = ""
        if problem:
            answer = JSONResponse({"detail": problem}, status.HTTP_400_BAD_REQUEST)
            await answer(scope, receive, send)
        else:
            await self.app(scope, replay, send)


def problem_of(dag_id: str, key: str) -> str:
    """Say why a DAG of ours cannot run for a key; an empty text when it can."""
    pipeline = pipeline_of(dag_id)
    if pipeline is None:
        return ""
    try:
        parse_key(key)
    except BatchError as error:
        return str(error)
    reads = next(step.reads for step in pipeline.steps if step.dag_id == dag_id)
    missing = lacking(reads, key) if reads else []
    return never_published(key, missing) if missing else ""


async def _problem(request: Request, dag_id: str, key: str | None) -> str:
    if key is None or pipeline_of(dag_id) is None:
        return ""
    try:
        user = await get_user(request, None, await bearer_scheme(request))
    except HTTPException:
        return ""  # Airflow refuses it
    return await run_in_threadpool(lambda: problem_of(dag_id, key) if may(user, dag_id, "rerun") else "")


def _triggered(path: str) -> str:
    """Return the DAG that a POST to a path triggers; an empty text for any other path."""
    match = TRIGGER.search(path)
    return match[1] if match and match.end() == len(path) else ""


def _key(body: bytes) -> str | None:
    """Return the partition key in a request's body; None when there is none, or it is not a text."""
    try:
        key: Any = json.loads(body)["partition_key"]
    except (ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, str) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what receives a request once more whose body was read."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
