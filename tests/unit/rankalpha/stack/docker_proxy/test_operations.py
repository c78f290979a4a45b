"""Which requests the Docker proxy lets through, and which it refuses."""

import json
from urllib.parse import quote, unquote

import pytest

from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME
from tests.unit.rankalpha.support.fake_engine import OURS
from tests.unit.rankalpha.support.proxy_requests import NAME

DIGEST = "postgres@sha256:" + "0" * 64
LOGS = "follow=1&stderr=1&stdout=1&timestamps=0&tail=all&since=1.5"
PASSED = {  # what is asked, and what reaches the engine if that is not the same
    "GET /_ping": "",
    "HEAD /_ping": "",
    "GET /v1.51/_ping": "",
    "GET /images/demo:1/json": "",
    "GET /images/localhost:5000/team/demo/json": "",
    f"GET /images/{DIGEST}/json": "",
    f"GET /images/{quote(DIGEST, safe='/:')}/json": f"GET /images/{DIGEST}/json",
    "GET /v1.44/networks/rankalpha_net": "",
    "GET /volumes/prices_data": "",
    "GET /containers/ours/json": f"GET /containers/{OURS}/json",
    f"GET /v1.51/containers/ours/logs?{LOGS}": f"GET /v1.51/containers/{OURS}/logs?{LOGS}",
    "GET /containers/ours/stats?stream=False&one-shot=True": (
        f"GET /containers/{OURS}/stats?stream=False&one-shot=True"
    ),
    "GET /v1.45/containers/ours/stats?one-shot=1&stream=0": (
        f"GET /v1.45/containers/{OURS}/stats?one-shot=1&stream=0"
    ),
    f"GET /containers/ours/archive?path={quote(RESULT_PATH, safe='')}": (
        f"GET /containers/{OURS}/archive?path={RESULT_PATH}"
    ),
    f"POST /containers/ours/rename?name={NAME}-try12": f"POST /containers/{OURS}/rename?name={NAME}-try12",
    "POST /containers/ours/start": f"POST /containers/{OURS}/start",
    "POST /containers/ours/wait?condition=removed": f"POST /containers/{OURS}/wait?condition=removed",
    "POST /containers/ours/stop?t=3": f"POST /containers/{OURS}/stop?t=3",
    "DELETE /containers/ours?v=False&link=False&force=True": (
        f"DELETE /containers/{OURS}?v=False&link=False&force=True"
    ),
}


@pytest.mark.parametrize("request_line", PASSED)
def test_what_a_stage_needs_reaches_the_engine(engine, proxy, request_line):
    engine.go_on.set()
    status, headers, body = proxy.ask(*request_line.split(" "), **{"X-Registry-Auth": "x", "Cookie": "y"})
    assert status == 200, body
    assert engine.asked[-1] == (PASSED[request_line] or request_line)
    assert set(engine.asked[:-1]) <= {"GET /containers/ours/json"}  # is it ours?
    _, _, sent, sent_body = engine.requests[-1]
    assert {name.lower() for name in sent} <= {
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent")
    }
    assert sent_body == b""
    assert "X-Secret" not in headers


@pytest.mark.parametrize(
    "line",
    [
        *(
            f"GET {path}"
            for path in ("/info", "/events", "/images/json", "/networks", "/volumes", "/secrets")
        ),
        *(
            f"POST /{path}"
            for path in ("build", "commit?container=ours", "images/create?fromImage=x", "auth")
        ),
        *(f"POST /containers/ours/{do}" for do in ("exec", "attach", "kill", "update", "restart")),
        *(f"POST /{what}/prune" for what in ("containers", "images", "networks", "volumes", "system")),
        "POST /exec/x/start",
        "POST /volumes/create",
        "POST /networks/create",
        "POST /networks/rankalpha_net/connect",
        "POST /session",
        "POST /grpc",
        "POST /swarm/init",
        "POST /plugins/pull",
        "PUT /containers/ours/archive?path=/",
        "HEAD /containers/ours/archive?path=/",
        "GET /containers/ours/export",
        "GET /containers/ours/top",
        "GET /containers/ours/changes",
        "DELETE /images/demo:1",
        "DELETE /volumes/prices_data",
        "DELETE /networks/rankalpha_net",
        "GET /networks/host",
        "GET /volumes/other_data",
        # tricks with the path
        "GET //_ping",
        "GET /_ping/",
        "GET /./_ping",
        "GET /v1.51//_ping",
        "GET /v1.51/v1.51/_ping",
        "GET /v2.0/_ping",
        "GET /%5fping",
        "GET /_ping%00",
        "GET /_ping%0d%0aX:%20y",
        "GET /_ping;x=1",
        "GET http://docker/_ping",
        "GET http://docker/info",
        "OPTIONS /_ping",
        "CONNECT docker:80",
        "GET /containers/../info",
        "GET /containers/../../json",
        "GET /containers/%2e%2e/json",
        "GET /containers/ours%2f..%2ftheirs/json",
        "GET /containers/ours/../theirs/json",
        "GET /containers/ours%3fx/json",
        "GET /containers//json",
        "GET /images/../info?x=/json",
        "GET /images/a/../../containers/theirs/json",
        "GET /images/a%2540b/json",
        "GET /images//json",
        # tricks with the query
        "GET /_ping?x=1",
        "GET /containers/ours/archive?path=/etc/shadow",
        "PUT /containers/ours/archive",
        "PUT /containers/ours/archive?path=/etc",
        f"PUT /containers/ours/archive?path={RESULT_VOLUME}/..",
        f"PUT /containers/ours/archive?path={RESULT_VOLUME}&copyUIDGID=1",
        f"GET /containers/ours/archive?path={RESULT_PATH}/..",
        f"GET /containers/ours/archive?path={RESULT_PATH}&path=/",
        f"GET /containers/ours/archive?Path=/&path={RESULT_PATH}",
        "POST /containers/ours/start?detachKeys=x",
        "POST /containers/ours/stop?signal=KILL",
        "POST /containers/ours/stop?t=",
        "POST /containers/ours/wait?condition=x%0d%0a",
        *(
            f"POST /containers/ours/rename?{query}"
            for query in (
                f"name={NAME}",  # it could take the place of one that counts
                f"name={NAME}-try",
                f"name={NAME}-try1x",
                f"name={NAME}-try1%0a",
                f"name=x{NAME}-try1",
                f"name=/{NAME}-try1",
                f"name={NAME}-try1&name=postgres",
                f"Name=postgres&name={NAME}-try1",
                "name=rankalpha-demo-try1",
                "name=postgres",
                "name=",
            )
        ),
        "DELETE /containers/ours?link=true",
        *(
            f"GET /containers/ours/stats{query}"
            for query in (
                "",
                "?stream=0",
                "?one-shot=1",
                "?stream=1&one-shot=1",
                "?stream=0&one-shot=0",
                "?stream=0&one-shot=1&stream=1",
                "?stream=0&one-shot=1&all=1",
                "?stream=0&one-shot=1%0a",
            )
        ),
        "POST /containers/ours/stats?stream=0&one-shot=1",
        "GET /containers/ours/stats/x?stream=0&one-shot=1",
        "GET /containers/stats?stream=0&one-shot=1",
        "GET /containers/ours/logs?details=1",
        "GET /containers/json?all=1&all=0",
        "GET /containers/json?filters=x",
        "GET /containers/json?filters=[]",
        'GET /containers/json?filters={"label":"rankalpha.dag"}',
        'GET /containers/json?filters={"Label":["x"]}',
        'GET /containers/json?filters={"volume":["x"]}',
        "GET /containers/json?filters={}&filters={}",
    ],
)
def test_all_else_is_refused_and_never_reaches_the_engine(engine, proxy, line):
    answer = proxy.send(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 "), answer
    if not line.startswith("HEAD"):
        assert json.loads(body)["message"].startswith("RankAlpha's Docker proxy refuses ")
    assert engine.asked == []


OPERATIONS = (
    "GET {}/json",
    "GET {}/logs?follow=1",
    "GET {}/stats?stream=0&one-shot=1",
    "POST {}/stop",
    f"POST {{}}/rename?name={NAME}-try1",
    "DELETE {}",
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_containers_of_others_are_left_alone(engine, proxy, operation):
    method, path = operation.format("/containers/theirs").split(" ")
    status, _, body = proxy.ask(method, path)
    assert status == 403
    assert "it is not a stage's container" in json.loads(body)["message"]
    assert engine.asked == ["GET /containers/theirs/json"]


def test_a_container_that_is_not_there_is_what_the_engine_says(proxy, engine):
    status, _, body = proxy.ask("POST", "/containers/none/start")
    assert (status, json.loads(body)) == (404, {"message": "no none"})
    assert engine.asked == ["GET /containers/none/json"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"label": ["rankalpha.dag"]}),
        ({"label": ["rankalpha.try=1"]}, {"label": ["rankalpha.try=1", "rankalpha.dag"]}),
        (
            {"status": ["running"], "name": ["x"]},
            {"status": ["running"], "name": ["x"], "label": ["rankalpha.dag"]},
        ),
    ],
)
def test_only_our_containers_are_listed(engine, proxy, given, sent):
    for target in [f"/containers/json?all=1&filters={quote(json.dumps(given))}"] + ["/containers/json"] * (
        not given
    ):
        assert proxy.ask("GET", target)[0] == 200
        assert json.loads(unquote(engine.asked[-1]).partition("filters=")[2]) == sent
