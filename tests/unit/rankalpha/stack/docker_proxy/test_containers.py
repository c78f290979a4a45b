"""A container reaches the engine as it was checked, and with anything more it does not."""

import json

import pytest

from rankalpha.runners.file_system import RESULT_VOLUME
from rankalpha.runners.identity import MADE_BY
from tests.unit.rankalpha.support.demo_stage import identity
from tests.unit.rankalpha.support.proxy_requests import CONTAINER, NAME, POST, create, with_

LIMITS = ("NanoCpus", "Memory", "MemorySwap", "PidsLimit")
MOUNTS = "HostConfig.Mounts.0"
KEY = "2025-11-20T06:00:00"
FOLDER = {"Type": "volume", "Source": "prices_data", "Target": f"/data/prices/{KEY}"}
FOLDER |= {"VolumeOptions": {"Subpath": KEY}}


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


@pytest.mark.parametrize("inside", [KEY, f"{KEY}/ingestion-0123abcd-1"])
def test_the_folder_of_a_batch_or_version_is_mounted_at_its_own_place(engine, proxy, inside):
    folder = {**FOLDER, "Target": f"/data/prices/{inside}", "VolumeOptions": {"Subpath": inside}}
    asked = with_("HostConfig.Mounts", [*CONTAINER["HostConfig"]["Mounts"], {**folder, "ReadOnly": True}])
    assert create(proxy, asked) == (200, "OK")
    assert json.loads(engine.requests[0][3]) == asked


def test_all_labels_of_a_stage_may_be_given(engine, proxy):
    labels = {**identity().labels, MADE_BY: "0a" * 32}
    assert create(proxy, with_("Labels", labels))[0] == 200


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
    (f"{MOUNTS}.VolumeOptions", {"NoCopy": True}),
    (f"{MOUNTS}.VolumeOptions", {"Subpath": KEY}),  # where the whole volume is declared
    (f"{MOUNTS}.Target", f"/data/prices/{KEY}"),
    *(
        ("HostConfig.Mounts", [{**FOLDER, **changed}])
        for changed in (
            {"Target": f"/app/{KEY}"},
            {"Target": f"/data/prices/{KEY}/{KEY}"},
            {"Target": f"/data/prices/{KEY}/x"},
            {"Source": "other_data"},
            {"VolumeOptions": {"Subpath": KEY, "DriverConfig": {"Name": "local"}}},
            {"VolumeOptions": {"subpath": KEY}},
            *(
                {"Target": f"/data/prices/{inside}", "VolumeOptions": {"Subpath": inside}}
                for inside in (
                    f"{KEY}/..",
                    f"{KEY}/a/b",
                    f"{KEY}\n",
                    "..",
                    ".",
                    "/",
                    "x",
                    f"../{KEY}",
                    f"{KEY}/",
                )
            ),
        )
    ),
    ("HostConfig.Mounts.1.Target", "/etc"),
    ("HostConfig.Mounts.1.VolumeOptions", {"Subpath": KEY}),
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
