"""Refuses to trigger a DAG with a partition key that names no batch, before there is a run.

Airflow takes any text as a partition key. The run would fail at once, but it would be there, and be alerted.
This is a middleware of Airflow's API server, which plugins may add. It refuses only when Airflow itself would
let the caller trigger the DAG; it passes on everything else, so that Airflow answers as usual.
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

from rankalpha.joins.published import lacking, name_of
from rankalpha.pipeline.batch import BatchError, never_published, parse_key
from rankalpha.pipeline.pipelines import pipeline_of, pipelines
from rankalpha.web.page.routes import may

log = logging.getLogger(__name__)

TRIGGER = re.compile(r"/api/v2/(?:dags/(?P<dag>[^/]+)/dagRuns|assets/(?P<asset>\d+)/materialize)/?\Z")


class TriggerKeys:
    """The middleware: answers 400, as Airflow does to a wrong request, or lets Airflow answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at a request that triggers one of our DAGs with a key."""
        posted = scope["type"] == "http" and scope["method"] == "POST"
        if not (posted and (triggered := TRIGGER.search(scope["path"]))):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        request = Request(scope, replay := _again(body, receive))
        try:
            problem = await _problem(request, triggered, _key(body))
        except Exception:  # then the run fails, as it would without this
            log.exception("The partition key of POST %s could not be checked", scope["path"])
            problem = ""
        if problem:
            answer = JSONResponse({"detail": problem}, status.HTTP_400_BAD_REQUEST)
            await answer(scope, receive, send)
        else:
            await self.app(scope, replay, send)


def problem_of(dag_id: str, key: str) -> str:
    """Return why a DAG of ours cannot run for a key; an empty text when it can."""
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


async def _problem(request: Request, triggered: re.Match[str], key: str | None) -> str:
    if key is None:
        return ""
    try:
        user = await get_user(request, None, await bearer_scheme(request))
    except HTTPException:
        return ""  # Airflow refuses it

    def look() -> str:
        dag_id = triggered["dag"] or _producer(int(triggered["asset"]))
        return problem_of(dag_id, key) if dag_id and may(user, dag_id, "rerun") else ""

    return await run_in_threadpool(look)


def _producer(asset_id: int) -> str:
    """Return the DAG of ours that publishes in a dataset; an empty text for another dataset."""
    name = name_of(asset_id)
    steps = (step for pipeline in pipelines() for step in pipeline.steps)
    return next((step.dag_id for step in steps if step.writes == name), "")


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
