"""Ways from the proxy to root on the machine, tried on a real engine; the rules are in tests/unit."""

import copy
import json
import re
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import APIError, NotFound

from rankalpha.runners.docker_client import API_VERSION
from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME, result_folder
from rankalpha.stack.docker_proxy.server import NO_LIVE_RESTORE
from tests.support.docker_proxy import RunningProxy
from tests.support.engine import labels
from tests.support.needs import IMAGE, SOCKET
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("nothing_left")
TMPFS = {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=1048576"}
NAME = "rankalpha-demo-2026-11-22T06-00-00-89abcdef"


@pytest.fixture
def client(proxy):
    """docker-py, as it is used by somebody who has taken over a worker."""
    return APIClient(base_url=proxy.url, version=API_VERSION, timeout=20)


@pytest.fixture
def container(demo, session):
    """What a stage's container is created with."""
    volume = demo.docker.volumes[0]
    return {
        "Image": IMAGE,
        "Cmd": ["sh", "-c", "id; ls /host /dev/mem; sleep 60"],
        "WorkingDir": demo.working_dir,
        "Labels": {"rankalpha.dag": "rankalpha_demo", "rankalpha.session": session},
        "HostConfig": {
            "NetworkMode": demo.docker.network,
            "Mounts": [{"Type": "volume", "Source": volume.name, "Target": volume.target}],
            "NanoCpus": 10**9,
            "Memory": 64 * 1024**2,
            "MemorySwap": 64 * 1024**2,
            "PidsLimit": 50,
            "ReadonlyRootfs": True,
            "Tmpfs": TMPFS,
            "Init": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "json-file", "Config": {"max-file": "2", "max-size": "50m"}},
        },
    }


@pytest.fixture
def foreign(engine, demo):
    """A container that is not ours."""
    made = engine.create_container(IMAGE, "sleep 60", environment={"TOKEN": "s3cret"}, labels=labels())["Id"]
    engine.start(made)
    yield made
    engine.remove_container(made, force=True)


def create(proxy, body, name=None):
    """Ask for a container as it stands."""
    text = body if isinstance(body, str) else json.dumps(body)
    target = "/containers/create" + (f"?name={name}" if name else "")
    return proxy.ask("POST", target, text, **{"Content-Type": "application/json"})


def ours(engine, session):
    return engine.containers(all=True, filters={"label": f"rankalpha.session={session}"})


def test_a_stage_may_do_all_that_it_needs(client, proxy, container):
    status, _, answer = create(proxy, container, name=NAME)
    assert status == 201, answer
    made = json.loads(answer)["Id"]
    client.start(made)
    assert any(line.startswith(b"uid=") for line in client.logs(made, stream=True, follow=True))
    assert client.stats(made, stream=False, one_shot=True)["pids_stats"]["limit"] == 50
    assert [
        found["Id"] for found in client.containers(filters={"label": "rankalpha.dag=rankalpha_demo"})
    ] == [made]
    assert client.inspect_container(made[:12])["HostConfig"]["Privileged"] is False
    client.rename(made, f"{NAME}-try1")
    assert client.inspect_container(f"{NAME}-try1")["Id"] == made
    client.stop(made, timeout=1)
    assert client.wait(made)["StatusCode"] in (137, 143)
    client.remove_container(made, force=True)
    with pytest.raises(NotFound):
        client.inspect_container(made)


BIND = {"Type": "bind", "Source": "/", "Target": "/host"}
DEVICE = {
    "Type": "volume",
    "VolumeOptions": {"DriverConfig": {"Options": {"o": "bind", "device": "/", "type": "none"}}},
}


@pytest.mark.parametrize(
    "more",
    [
        *({key: True} for key in ("Privileged", "privileged", "PRIVILEGED", "pRiViLeGeD")),
        *({key: ["/:/host"]} for key in ("Binds", "binds", "BINDS")),
        *({key: [BIND]} for key in ("Mounts", "mounts", "MOUNTS")),
        *({"NetworkMode": mode} for mode in ("host", "bridge", "container:x")),
        *(
            {key: "host"}
            for key in ("PidMode", "pidmode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode")
        ),
        *({key: ["NET_RAW"]} for key in ("CapAdd", "capadd", "CAPADD")),
        {"CapAdd": ["SYS_ADMIN"]},
        *({"CapDrop": dropped} for dropped in ([], None, ["NET_RAW"], ["all"])),
        *({"SecurityOpt": options} for options in ([], None, ["no-new-privileges:false"])),
        {"SecurityOpt": ["no-new-privileges", "seccomp=unconfined"]},
        {"Devices": [{"PathOnHost": "/dev/mem", "PathInContainer": "/dev/mem", "CgroupPermissions": "rwm"}]},
        {"DeviceCgroupRules": ["a *:* rwm"]},
        {"SecurityOpt": ["apparmor=unconfined"]},
        *({"LogConfig": {"Type": "json-file", "Config": options}} for options in ({}, {"max-size": "1g"})),
        {"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://192.0.2.1:514"}}},
        *({"ReadonlyRootfs": value} for value in (False, None)),
        *({"Tmpfs": value} for value in (None, {}, {**TMPFS, "/etc": "size=1"}, {"/tmp": "size=0"})),
        {"CgroupParent": "/"},
        {"VolumesFrom": ["x"]},
        {"NetworkMode": ""},
        {"Memory": 0},
    ],
)
def test_the_host_config_gives_no_way_out(engine, proxy, session, container, more):
    container["HostConfig"] |= more
    assert create(proxy, container)[0] == 403
    assert ours(engine, session) == []


@pytest.mark.parametrize("key", ["CapDrop", "SecurityOpt"])
def test_a_container_that_keeps_or_gains_capabilities_is_refused_and_told_what_it_lacks(
    engine, proxy, session, container, key
):
    del container["HostConfig"][key]
    status, _, answer = create(proxy, container)
    assert status == 403
    assert 'HostConfig must have "CapDrop": ["ALL"] and "SecurityOpt": ["no-new-privileges"]' in str(
        json.loads(answer)
    )
    assert ours(engine, session) == []


@pytest.mark.parametrize("key", ["hostconfig", "HOSTCONFIG", "Hostconfig"])
def test_a_second_host_config_gives_no_way_out(engine, proxy, session, container, key):
    assert create(proxy, {**container, key: {"Privileged": True}})[0] == 403
    assert create(proxy, {key: {"Privileged": True}, **container})[0] == 403
    assert ours(engine, session) == []


def test_a_key_that_stands_twice_gives_no_way_out(engine, proxy, session, container):
    text = '{"HostConfig": {"Privileged": true, "Binds": ["/:/host"]}, ' + json.dumps(container)[1:]
    assert create(proxy, text)[0] == 201
    (made,) = ours(engine, session)
    given = engine.inspect_container(made["Id"])["HostConfig"]
    assert (given["Privileged"], given["Binds"]) == (False, None)
    engine.remove_container(made["Id"])


@pytest.mark.parametrize(
    "change", [DEVICE, {"Source": "other_data"}, {"Source": "/"}, {"Target": "/app"}, BIND]
)
def test_a_volume_is_no_way_out(engine, proxy, session, container, change):
    changed = copy.deepcopy(container)
    changed["HostConfig"]["Mounts"][0] |= change
    assert create(proxy, changed)[0] == 403
    assert ours(engine, session) == []


def test_a_working_folder_is_no_way_out(engine, proxy, session, container):
    """runc before 1.1.12 had the machine's root at such a folder, CVE-2024-21626."""
    for number in range(5, 10):
        assert create(proxy, {**container, "WorkingDir": f"/proc/self/fd/{number}"})[0] == 403
    assert ours(engine, session) == []


def test_containers_of_others_can_be_neither_seen_nor_touched(engine, client, foreign):
    name = engine.inspect_container(foreign)["Name"].strip("/")
    for which in (foreign, foreign[:12], name):
        for do in (
            client.inspect_container,
            client.stop,
            client.start,
            client.wait,
            client.logs,
            client.remove_container,
            lambda it: client.get_archive(it, RESULT_PATH),
            lambda it: client.put_archive(it, RESULT_VOLUME, result_folder()),
            lambda it: client.stats(it, stream=False, one_shot=True),
            lambda it: client.rename(it, f"{NAME}-try1"),
        ):
            with pytest.raises(APIError, match="it is not a stage's container"):
                do(which)
    seen = client.containers(all=True)
    assert foreign not in [found["Id"] for found in seen]
    assert all("rankalpha.dag" in found["Labels"] for found in seen)
    assert engine.inspect_container(foreign)["State"]["Running"]


def test_nothing_else_of_docker_is_there(client, proxy, foreign, container):
    made = json.loads(create(proxy, container)[2])["Id"]
    client.start(made)
    for do in (
        lambda: client.exec_create(made, "id", privileged=True),
        lambda: client.attach(made),
        lambda: client.commit(made),
        lambda: client.kill(made),
        lambda: client.rename(made, "x"),
        lambda: client.rename(made, NAME),
        lambda: client.update_container(made, mem_limit=0),
        lambda: client.put_archive(made, "/", b""),
        lambda: client.get_archive(made, "/etc/shadow"),
        lambda: list(client.export(made)),
        lambda: client.diff(made),
        lambda: client.stats(made, stream=False),  # samples for a second
        lambda: next(client.stats(made, stream=True)),
        lambda: list(client.build(path="http://127.0.0.1:9/x.git")),
        lambda: client.pull("x", "latest"),
        lambda: client.import_image_from_url("http://127.0.0.1:9/x", changes=["USER root"]),
        lambda: client.tag(IMAGE, "x"),
        lambda: client.remove_image("x"),
        client.images,
        client.info,
        client.df,
        client.networks,
        client.volumes,
        lambda: client.inspect_network("host"),
        lambda: client.connect_container_to_network(foreign, container["HostConfig"]["NetworkMode"]),
        lambda: client.create_volume("x", driver_opts={"type": "none", "o": "bind", "device": "/"}),
        lambda: client.remove_volume(container["HostConfig"]["Mounts"][0]["Source"], force=True),
        lambda: client.create_network("x"),
        client.prune_containers,
        client.prune_volumes,
        client.plugins,
        client.init_swarm,
    ):
        with pytest.raises(APIError, match="RankAlpha's Docker proxy refuses"):
            do()
    client.remove_container(made, force=True)


def test_a_slow_reader_does_not_fill_the_proxy(client, proxy, engine, session, container):
    """200 MB of output that nobody reads stay with the engine."""
    container["Cmd"] = ["sh", "-c", "yes 0123456789012345678901234567890123456789 | head -c 200000000; echo"]
    made = json.loads(create(proxy, container)[2])["Id"]
    client.start(made)
    output = client.logs(made, stream=True, follow=True)
    next(output)
    seen = [0]

    def takes_no_more():
        seen.append(proxy.has_read())
        return seen[-5:] == [seen[-1]] * 5

    wait_for("the proxy to take no more", takes_no_more)
    status = Path(f"/proc/{proxy.process.pid}/status").read_text()
    assert int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) < 100_000
    output.close()
    client.remove_container(made, force=True)


def test_it_says_at_its_start_whether_a_killed_daemon_takes_the_stages_with_it(engine, demo, tmp_path):
    """As the engine is set; tests/compose has it both ways, and the kill."""
    proxy = RunningProxy(SOCKET, tmp_path / "log", [demo])
    warned = not engine.info()["LiveRestoreEnabled"]
    if warned:
        wait_for("the warning", lambda: NO_LIVE_RESTORE in proxy.log())
    proxy.stop()
    assert (NO_LIVE_RESTORE in proxy.log()) == warned
    assert "not known" not in proxy.log()
