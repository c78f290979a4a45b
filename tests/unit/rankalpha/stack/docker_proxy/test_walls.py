"""What a stage may do in its container: capabilities, and where it writes."""

import json

import pytest

from rankalpha.runners.file_system import RESULT_VOLUME, result_folder
from tests.support.docker_proxy import RunningProxy
from tests.unit.rankalpha.support.demo_stage import stage
from tests.unit.rankalpha.support.fake_engine import OURS
from tests.unit.rankalpha.support.proxy_requests import TMPFS, create, with_


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
