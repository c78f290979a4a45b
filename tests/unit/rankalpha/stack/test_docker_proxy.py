"""The Docker proxy as a process, before an engine that records what it is asked; see tests/engine too."""

import http.client
import json
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import quote, unquote

import pytest

import rankalpha.stages
from rankalpha.pipeline.market import Market
from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME, result_folder
from rankalpha.stack.docker_proxy.allowed import Allowed, Refused
from rankalpha.stages.stage import Stage
from tests.support.docker_proxy import RunningProxy
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.fake_engine import OURS, FakeEngine
from tests.unit.rankalpha.support.rankalpha_helpers import stage

DIGEST = "postgres@sha256:" + "0" * 64
SECRET = "sk-s3cret"
NAME = "rankalpha-demo-2025-11-20T06-00-00-0123abcd"
TMPFS = {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=268435456"}
CONTAINER = {
    "Image": "demo:1",
    "Cmd": ["python", "main.py"],
    "Env": [f"OPENAI_API_KEY={SECRET}"],
    "WorkingDir": "/app",
    "Labels": {"rankalpha.dag": "rankalpha_demo", "rankalpha.try": "1"},
    "AttachStdout": True,
    "AttachStderr": True,
    "HostConfig": {
        "NetworkMode": "rankalpha_net",
        "Mounts": [
            {"Type": "volume", "Source": "prices_data", "Target": "/data/prices"},
            {"Type": "volume", "Target": RESULT_VOLUME},
        ],
        "NanoCpus": 1_000_000_000,
        "Memory": 67_108_864,
        "MemorySwap": 67_108_864,
        "PidsLimit": 50,
        "ReadonlyRootfs": True,
        "Tmpfs": TMPFS,
        "Init": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "2", "max-size": "50m"}},
    },
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A fake engine with the proxy before it; a test's own of both are `engine` and `proxy`."""
    folder = tmp_path_factory.mktemp("proxy")
    engine = FakeEngine(folder / "docker.sock")
    proxy = RunningProxy(engine.path, folder / "log", [stage()])
    yield engine, proxy
    proxy.stop()
    engine.close()


@pytest.fixture
def engine(running):
    running[0].forget()
    return running[0]


@pytest.fixture
def proxy(running):
    return running[1]


def with_(path, value):
    """Return the container with one part of it changed; `HostConfig.Privileged` is a path."""
    changed = json.loads(json.dumps(CONTAINER))
    *parents, last = path.split(".")
    part = changed
    for parent in parents:
        part = part[int(parent) if parent.isdigit() else parent]
    part[last] = value
    return changed


def create(proxy, body, target="/v1.51/containers/create"):
    """Ask for a container; return the status and the message."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    status, _, answer = proxy.ask("POST", target, text, **{"Content-Type": "application/json"})
    return status, answer.decode()


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


def test_a_container_is_created_as_it_was_checked(engine, proxy):
    target = f"/v1.51/containers/create?name={NAME}"
    empty = {
        "Hostname": "",
        "User": None,
        "Tty": False,
        "ExposedPorts": {},
        "Entrypoint": [],
        "Healthcheck": None,
    }
    assert create(proxy, {**empty, **CONTAINER}, target) == (200, "OK")
    (asked,) = engine.asked
    assert asked == f"POST {target}"
    _, _, headers, body = engine.requests[0]
    assert (headers["Content-Type"], json.loads(body)) == ("application/json", CONTAINER)


def test_labels_may_be_empty(engine, proxy):
    """Containers are looked for by them, such as the `rankalpha.stack` of a stack without a name."""
    labels = {"rankalpha.dag": "rankalpha_demo", "rankalpha.stack": ""}
    assert create(proxy, with_("Labels", labels))[0] == 200
    assert json.loads(engine.requests[0][3])["Labels"] == labels


def test_a_chunked_body_is_read_and_written_anew(engine, proxy):
    text = json.dumps(CONTAINER).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (text[:7], text[7:], b""))
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert proxy.send(head + chunks).startswith(b"HTTP/1.1 200 ")
    assert json.loads(engine.requests[0][3]) == CONTAINER
    assert "Transfer-Encoding" not in engine.requests[0][2]


def test_of_keys_that_stand_twice_only_the_checked_one_is_sent(engine, proxy):
    text = json.dumps(CONTAINER)
    own = json.dumps(CONTAINER["HostConfig"])
    first = '{"HostConfig": {"Privileged": true, "Binds": ["/:/host"]}, '
    assert create(proxy, first + text[1:])[0] == 200
    assert json.loads(engine.requests[0][3]) == CONTAINER
    assert b"Privileged" not in engine.requests[0][3]
    last = f'{text[:-1]}, "HostConfig": {own[:-1]}, "Privileged": true}}}}'
    assert create(proxy, last)[0] == 403
    assert len(engine.requests) == 1


LIMITS = ("NanoCpus", "Memory", "MemorySwap", "PidsLimit")
MOUNTS = "HostConfig.Mounts.0"
REFUSED = [
    *(
        (f"HostConfig.{key}", True)
        for key in ("Privileged", "privileged", "PRIVILEGED", "AutoRemove", "Init ")
    ),
    *(
        (f"HostConfig.{key}", ["x"])
        for key in ("Binds", "binds", "CapAdd", "Devices", "VolumesFrom", "SecurityOpt")
    ),
    *(
        (f"HostConfig.{key}", "host")
        for key in ("PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode")
    ),
    *(
        (f"HostConfig.{key}", {"a": "b"})
        for key in ("Sysctls", "Tmpfs", "LogConfig", "RestartPolicy", "PortBindings")
    ),
    *((f"HostConfig.{key}", value) for key in LIMITS for value in (0, -1, 0.5, "1", True, None, 2**63)),
    *((f"HostConfig.{key}", "x") for key in ("CgroupParent", "Runtime", "Isolation", "ContainerIDFile")),
    *(
        ("HostConfig.NetworkMode", mode)
        for mode in ("host", "bridge", "none", "", "container:x", "Rankalpha_net")
    ),
    *(("HostConfig.CapDrop", value) for value in (["all"], ["CHOWN"], ["ALL", "CHOWN"], "ALL", ["NET_RAW"])),
    *(
        ("HostConfig.SecurityOpt", [option])
        for option in ("no-new-privileges:false", "no-new-privileges=false", "seccomp=unconfined")
    ),
    ("HostConfig.SecurityOpt", ["no-new-privileges", "apparmor=unconfined"]),
    ("HostConfig.SecurityOpt", ["no-new-privileges", "no-new-privileges:false"]),
    ("HostConfig.capadd", ["NET_RAW"]),
    ("HostConfig.Init", False),
    ("HostConfig.MaskedPaths", ["/x"]),
    ("HostConfig.DeviceRequests", [{"Count": -1}]),
    ("HostConfig", []),
    ("HostConfig", None),
    ("hostconfig", {"Privileged": True}),
    ("HOSTCONFIG", {"Binds": ["/:/host"]}),
    ("HostConfig\u017f", {"x": 1}),
    (f"{MOUNTS}.Type", "bind"),
    (f"{MOUNTS}.Type", "tmpfs"),
    (f"{MOUNTS}.Source", "/"),
    (f"{MOUNTS}.Source", "other_data"),
    (f"{MOUNTS}.Source", ""),
    (f"{MOUNTS}.Source", None),
    (f"{MOUNTS}.source", "/"),
    (f"{MOUNTS}.Target", "/app"),
    (f"{MOUNTS}.Target", "/data/prices/../../app"),
    (f"{MOUNTS}.VolumeOptions", {"DriverConfig": {"Options": {"type": "none", "o": "bind", "device": "/"}}}),
    ("HostConfig.Mounts.1.Target", "/etc"),
    ("HostConfig.Mounts.1.Target", f"{RESULT_VOLUME}/.."),
    ("HostConfig.Mounts.1.VolumeOptions", {"DriverConfig": {"Options": {"o": "bind", "device": "/"}}}),
    (f"{MOUNTS}.BindOptions", {"Propagation": "shared"}),
    ("HostConfig.mounts", [{"Type": "bind", "Source": "/", "Target": "/host"}]),
    ("WorkingDir", "/proc/self/fd/7"),
    ("WorkingDir", None),
    ("Image", "-x"),
    ("Image", "demo:1\n"),
    ("Image", None),
    ("Cmd", "rm -rf /"),
    ("Cmd", [1]),
    ("Env", ["PATH"]),
    ("Env", {"A": "b"}),
    ("Labels", {}),
    ("Labels", {"rankalpha.try": "1"}),
    ("Labels", {"rankalpha.dag": "d", "com.docker.compose.project": "rankalpha"}),
    ("Labels", {"Rankalpha.dag": "d"}),
    ("Labels", {"rankalpha.dag": "d", "rankalpha.try": None}),
    ("labels", {"com.docker.compose.project": "rankalpha"}),
    ("User", "root"),
    ("Entrypoint", ["sh"]),
    ("NetworkingConfig", {"EndpointsConfig": {"rankalpha_net": {"Aliases": ["api"]}}}),
    ("Volumes", {"/x": {"a": 1}}),
    ("Tty", True),
    ("OpenStdin", True),
    ("StopSignal", "SIGKILL"),
]


@pytest.mark.parametrize(("path", "value"), REFUSED)
def test_a_container_with_anything_more_is_refused(engine, proxy, path, value):
    status, message = create(proxy, with_(path, value))
    assert (status, engine.asked) == (403, [])
    assert json.loads(message)["message"].startswith("RankAlpha's Docker proxy refuses ")


@pytest.mark.parametrize("key", ["CapDrop", "SecurityOpt"])
@pytest.mark.parametrize("value", [None, []])
def test_a_container_that_keeps_or_gains_capabilities_is_refused_and_told_what_it_lacks(
    engine, proxy, key, value
):
    status, message = create(proxy, with_(f"HostConfig.{key}", value))
    assert (status, engine.asked) == (403, [])
    assert json.loads(message)["message"].endswith(
        'HostConfig must have "CapDrop": ["ALL"] and "SecurityOpt": ["no-new-privileges"]'
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"Type": "json-file"},
        {"Type": "json-file", "Config": {}},
        {"Type": "json-file", "Config": {"max-size": "50m"}},
        {"Type": "json-file", "Config": {"max-file": "2", "max-size": "50g"}},
        {"Type": "json-file", "Config": {"max-file": "2", "max-size": "50m", "labels": "x"}},
        {"Type": "local", "Config": {"max-file": "2", "max-size": "50m"}},
        {"Type": "syslog", "Config": {"syslog-address": "tcp://192.0.2.1:514"}},
    ],
)
def test_a_container_whose_log_is_not_bounded_is_refused_and_told_what_it_lacks(engine, proxy, value):
    status, message = create(proxy, with_("HostConfig.LogConfig", value))
    assert (status, engine.asked) == (403, [])
    assert json.loads(message)["message"].startswith("RankAlpha's Docker proxy refuses ")
    if not value:
        assert json.dumps(CONTAINER["HostConfig"]["LogConfig"]) in json.loads(message)["message"]


BEYOND_TMP = [{"/run": TMPFS["/tmp"]}, {**TMPFS, "/run": TMPFS["/tmp"]}, {"/tmp/": TMPFS["/tmp"]}]
NO_BOUND = ["", "size=0", "size=00", "size=", "size=-1", "size=50%", "size=1g", "size=1,size=0", "size=1\n"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("ReadonlyRootfs", value) for value in (None, False)),
        ("Tmpfs", {}),
        *(("Tmpfs", value) for value in BEYOND_TMP),
        *(("Tmpfs", {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,{size}"}) for size in NO_BOUND),
        *(("Tmpfs", {"/tmp": options}) for options in ("size=1", "rw,suid,dev,mode=1777,size=1")),
    ],
)
def test_a_container_that_can_write_to_more_is_refused_and_told_what_it_lacks(engine, proxy, key, value):
    status, message = create(proxy, with_(f"HostConfig.{key}", value))
    assert (status, engine.asked) == (403, [])
    said = json.loads(message)["message"]
    assert (
        '"ReadonlyRootfs": true and "Tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=<bytes>"}' in said
    )
    assert said.endswith("the stages declare read_only=False: none")


def writable(stage_name, **host):
    """The container of a stage that asks for a file system to write to."""
    asked = with_("Labels", {"rankalpha.dag": "d", "rankalpha.stage": stage_name})
    asked["HostConfig"] = {
        key: value for key, value in asked["HostConfig"].items() if key not in WALLS
    } | host
    return asked


WALLS = ("ReadonlyRootfs", "Tmpfs")


def test_only_a_stage_that_declares_it_writes_to_its_file_system(engine, tmp_path):
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage(), stage(name="writer", read_only=False)])
    assert create(proxy, writable("writer"))[0] == 200
    assert json.loads(engine.requests[-1][3]) == writable("writer")
    assert create(proxy, writable("writer", ReadonlyRootfs=True, Tmpfs=TMPFS))[0] == 200
    engine.forget()
    for asked in (writable("demo"), writable(""), writable("writer", Tmpfs={"/etc": "size=1"})):
        status, message = create(proxy, asked)
        assert (status, engine.asked) == (403, [])
        assert "the stages declare read_only=False: writer" in json.loads(message)["message"]
    proxy.stop()


@pytest.mark.parametrize("sent", [b"", b"x" * 1000, result_folder()])
def test_what_is_unpacked_for_the_result_is_the_proxys_own(engine, proxy, sent):
    engine.go_on.set()
    assert proxy.ask("PUT", f"/containers/ours/archive?path={RESULT_VOLUME}", sent)[0] == 200
    assert engine.asked[-1] == f"PUT /containers/{OURS}/archive?path={RESULT_VOLUME}"
    assert engine.requests[-1][3] == result_folder()


def test_both_spellings_of_no_new_privileges_are_one(engine, proxy):
    asked = with_("HostConfig.SecurityOpt", ["no-new-privileges:true"])
    assert create(proxy, asked)[0] == 200
    assert json.loads(engine.requests[0][3]) == asked


def powerful(stage_name, *capabilities):
    """The container of a stage that asks for capabilities."""
    asked = with_("HostConfig.CapAdd", list(capabilities))
    asked["Labels"]["rankalpha.stage"] = stage_name
    return asked


def test_a_stage_gets_the_capabilities_that_it_declares_and_no_others(engine, tmp_path):
    declared = stage(name="root", capabilities=("CHOWN", "DAC_OVERRIDE"))
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage(), declared])
    for capabilities in (["CHOWN"], ["DAC_OVERRIDE", "CHOWN"]):
        assert create(proxy, powerful("root", *capabilities))[0] == 200
        assert json.loads(engine.requests[-1][3]) == powerful("root", *capabilities)
    engine.forget()
    for name, *capabilities in (
        ("demo", "CHOWN"),
        ("", "CHOWN"),
        ("root", "CHOWN", "SETUID"),
        ("root", "CAP_CHOWN"),
        ("root", "ALL"),
        ("root", "NET_RAW"),
        ("root", "NET_ADMIN"),
    ):
        status, message = create(proxy, powerful(name, *capabilities))
        refused = f"capability '{name}:{capabilities[-1]}': the stages declare root:CHOWN, root:DAC_OVERRIDE"
        assert (status, engine.asked) == (403, [])
        assert refused in json.loads(message)["message"]
    without = with_("HostConfig.CapAdd", ["CHOWN"])  # and without the label that names its stage
    assert create(proxy, without)[0] == 403
    proxy.stop()


def test_without_a_declaration_there_is_no_capability(engine, proxy):
    status, message = create(proxy, powerful("demo", "CHOWN"))
    assert (status, engine.asked) == (403, [])
    assert "capability 'demo:CHOWN': the stages declare none" in json.loads(message)["message"]


@pytest.mark.parametrize("name", ["postgres", "rankalpha-postgres-1", "rankalpha-api", "x/../y", ""])
def test_a_name_could_be_taken_for_another_service(engine, proxy, name):
    assert create(proxy, CONTAINER, f"/containers/create?name={name}")[0] == 403
    assert engine.asked == []


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 9000, "1" * 9000, "{}{}", b"\xef\xbb\xbf{}", b"\xff\xfe", '{"Image": "\\ud800"}']
)
def test_what_is_not_json_is_no_container(engine, proxy, body):
    status, message = create(proxy, body)
    assert (status, engine.asked) == (400, [])
    assert "RankAlpha's Docker proxy cannot read the body" in message


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "1", "NaN", '{"HostConfig": NaN}'])
def test_other_json_is_no_container(engine, proxy, body):
    assert create(proxy, body)[0] == 403
    assert engine.asked == []


def test_a_large_body_is_not_taken_in(engine, proxy):
    status, message = create(proxy, with_("Env", ["A=" + "x" * 1024 * 1024]))
    assert (status, engine.asked) == (413, [])
    assert "exceeded" in json.loads(message)["message"]


SMUGGLED = b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /containers/create HTTP/1.1\r\nHost: x\r\n"


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


def test_an_engine_that_is_not_there_is_named(tmp_path):
    proxy = RunningProxy(tmp_path / "none.sock", tmp_path / "log", [stage()])
    status, _, body = proxy.ask("GET", "/_ping")
    assert status == 502
    assert f"no answer from the engine at {tmp_path / 'none.sock'}" in json.loads(body)["message"]
    proxy.stop()


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (b'{"LiveRestoreEnabled": false}', 'Set "live-restore": true in /etc/docker/daemon.json'),
        (b'{"LiveRestoreEnabled": true}', None),
        (b"{}", "it is not known whether the engine has live-restore: KeyError"),
        (b"no JSON", "it is not known whether the engine has live-restore: JSONDecodeError"),
    ],
)
def test_an_engine_without_live_restore_is_warned_of_at_the_start(tmp_path, info, said):
    engine = FakeEngine(tmp_path / "docker.sock")
    engine.info = info
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage()])
    if said:
        wait_for("the warning", lambda: said in proxy.log())
    assert proxy.ask("GET", "/_ping")[0] == 200
    assert proxy.ask("GET", "/info")[0] == 403, "still refused to everybody else"
    proxy.stop()
    assert proxy.log().count("live-restore") == (2 if said and said.startswith("Set") else int(bool(said)))
    engine.close()


def test_the_log_has_what_was_refused_or_done_and_no_secrets(engine, tmp_path):
    proxy = RunningProxy(engine.path, tmp_path / "log", [stage()])
    create(proxy, CONTAINER, f"/containers/create?name={NAME}")
    create(proxy, with_("User", SECRET))
    proxy.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + SECRET.encode() + b"\r\n", wait=0.3)
    proxy.ask("GET", "/info%0aX")
    proxy.ask("POST", f"/containers/ours/rename?name={NAME}-try1")
    proxy.ask("POST", "/containers/ours/stop")
    proxy.ask("DELETE", "/containers/ours")
    proxy.ask("GET", "/_ping")
    proxy.stop()
    lines = [line.split("127.0.0.1: ")[-1] for line in proxy.log().splitlines()[2:]]
    no, container = "403 RankAlpha's Docker proxy refuses", f"/containers/{OURS}"
    assert lines == [
        f"POST /containers/create {NAME}",
        f"{no} this container: User: Extra inputs are not permitted",
        "ERROR:aiohttp.server:400 BadHttpMessage",
        f"{no} GET /info%0aX: not an operation a stage needs",
        f"POST {container}/rename {NAME}-try1",
        f"POST {container}/stop",
        f"DELETE {container}",
    ]
    assert SECRET not in proxy.log()


def test_all_declared_stages_are_allowed():
    """Each file of rankalpha/stages that declares a stage is the file of a step."""
    modules = [
        import_module(f"rankalpha.stages.{file.name}") for file in iter_modules(rankalpha.stages.__path__)
    ]
    declared = [value for module in modules for value in vars(module).values() if isinstance(value, Stage)]
    assert {stage.name for stage in declared} == {stage.name for stage in rankalpha.stages.STAGES}
    allowed = Allowed.by(declared)
    assert allowed.networks == {"rankalpha_net"}
    assert allowed.volumes == {"prices_data", "company_reports", "analysis_schedule"}
    assert "company_reports:/data/company_reports" in allowed.mounts
    assert allowed.folders == {"/app", "/app/apps/sentiment"}
    assert allowed.capabilities == set(), "the reference images need none"
    assert allowed.writable == set(), "the reference images write to volumes and /tmp only"


def test_the_volumes_of_each_market_are_allowed_and_no_others():
    markets = (Market(), Market(name="nyse"))
    allowed = Allowed.by(stage.of(market) for market in markets for stage in rankalpha.stages.STAGES)
    names = ("prices_data", "company_reports", "analysis_schedule")
    assert allowed.volumes == {*names, *(f"{name}_nyse" for name in names)}
    allowed.check("mount", "prices_data_nyse:/data/prices")
    for mount in ("prices_data_lse:/data/prices", "prices_data_nyse:/data", "grades_nyse:/data/grades"):
        with pytest.raises(Refused, match="the stages declare"):
            allowed.check("mount", mount)


def test_a_mistake_in_the_file_of_markets_is_told_in_a_line(tmp_path):
    (tmp_path / "markets.toml").write_text("[nyse]\nslots = 0\n")
    done = subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.docker_proxy"],
        env={"RANKALPHA_MARKETS": str(tmp_path / "markets.toml")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr[:6]) == (1, "error:")
    assert "[nyse] slots = 0: Input should be greater than 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_starts_without_airflow_and_with_its_settings(tmp_path):
    code = "import sys, rankalpha.stack.docker_proxy.server, rankalpha.stages; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {name.partition(".")[0] for name in modules.split()} & {"airflow", "docker", "sqlalchemy"}
    done = subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.docker_proxy"],
        env={"RANKALPHA_PROXY_PORT": "many"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr[:38]) == (1, "error: RANKALPHA_PROXY_PORT='many': In")
