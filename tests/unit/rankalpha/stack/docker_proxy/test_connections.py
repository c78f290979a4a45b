"""One connection to the Docker proxy: nothing is smuggled in, and output is followed."""

import http.client

import pytest

from tests.support.docker_proxy import RunningProxy
from tests.unit.rankalpha.support.demo_stage import stage
from tests.unit.rankalpha.support.proxy_requests import POST

SMUGGLED = b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\nsk-s3cret\r\n" + SMUGGLED,
        POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
        b"GET /_ping HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + SMUGGLED,
        b"POST /containers/ours/start HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n"
        + SMUGGLED,
        b"GET /_ping HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + SMUGGLED,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        b"GET /info\n\nHTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /_ping HTTP/1.1\nHost: x\n\n",
        b"get /_ping HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
def test_nothing_is_smuggled_in(engine, proxy, raw):
    answers = proxy.send(raw, wait=0.3)
    assert b" 200 " not in answers
    assert answers.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 ", b"HTTP/1.1 403 "))
    assert engine.asked == []


def test_a_second_request_on_one_connection_is_checked_like_the_first(engine, proxy):
    body = b"GET /_ping HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    answers = proxy.send(body + SMUGGLED, wait=0.3)
    assert [line.split()[1] for line in answers.split(b"\r\n") if b"HTTP/1.1 " in line] == [b"200", b"403"]
    assert engine.asked == ["GET /_ping"]


def follow(proxy):
    """Begin to follow the output of our container; return the connection and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request("GET", "/containers/ours/logs?follow=1")
    return connection, connection.getresponse()


def test_output_comes_as_it_is_made(engine, proxy):
    connection, answer = follow(proxy)
    assert answer.read(5) == b"first"
    engine.go_on.set()
    assert answer.read() == b"last"
    connection.close()


def test_an_engine_that_goes_away_is_no_end_of_the_output(engine, proxy):
    connection, answer = follow(proxy)
    assert answer.read(5) == b"first"
    engine.breaks = True
    engine.go_on.set()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()


def test_a_client_that_hangs_up_ends_the_request_to_the_engine(engine, proxy):
    connection, answer = follow(proxy)
    assert answer.read(5) == b"first"
    answer.close()
    connection.close()
    assert engine.hung_up.wait(5)


def test_it_stops_at_once_while_output_is_followed(engine, tmp_path):
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage()])
    connection, answer = follow(proxy)
    assert answer.read(5) == b"first"
    assert proxy.stop() < 2
    assert proxy.process.returncode == 0
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
