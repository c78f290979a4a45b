from datetime import timedelta

import pytest

from rankalpha.pipeline.market import Market
from rankalpha.stages.docker import Volume
from tests.unit.rankalpha.support.demo_stage import stage

pytestmark = pytest.mark.usefixtures("profile_dir")


@pytest.mark.parametrize("name", ["Scorer", "my-stage", "", "1st", "a b"])
def test_a_name_must_be_able_to_prefix_its_settings(name):
    with pytest.raises(ValueError, match="must be a lower-case identifier"):
        stage(name=name)


@pytest.mark.parametrize("part", ["image", "command"])
def test_image_and_command_are_needed(part):
    with pytest.raises(ValueError, match="needs an image and a command"):
        stage(**{part: ""})


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"image": "Demo:1"}, "image 'Demo:1' is not the name of an image"),
        ({"image": "demo\0"}, r"image 'demo\\x00' holds the character U\+0000"),
        ({"command": "python '"}, 'command "python \'" cannot be split into words'),
        ({"command": " "}, "command ' ' is empty"),
        ({"working_dir": "app"}, "working_dir 'app' is not an absolute path"),
        ({"network": ""}, "network '' is not a name that Docker takes"),
        ({"volumes": (Volume("a b", "/data"),)}, "volume 'a b' is not a name that Docker takes"),
        ({"volumes": (Volume("data", "data"),)}, "target of a volume 'data' is not an absolute path"),
        ({"env": {"A=B": "1"}}, "name of a variable 'A=B' holds '='"),
        ({"env": {"A": "\0"}}, r"env\['A'\] '\\x00' holds the character U\+0000"),
        ({"optional": ("A B",)}, "name of a variable 'A B' holds ' '"),
        ({"secrets": ("",)}, "name of a variable '' is empty"),
        ({"data_dir_keys": ("A\n",)}, r"name of a variable 'A\\n' holds the control character U\+000A"),
        ({"timeout": timedelta(0)}, "timeout 0:00:00 is not between 0 and 366 days"),
        ({"timeout": timedelta(days=-1)}, "timeout -1 day, 0:00:00 is not between"),
        ({"timeout": timedelta.max}, "timeout 999999999 days, .* is not between"),
    ],
)
def test_a_declaration_that_no_engine_can_use_is_named(parts, said):
    with pytest.raises(ValueError, match=f"^stage demo: .*{said}"):
        stage(**parts)


@pytest.mark.parametrize("name", ["NET_RAW", "NET_ADMIN", "CAP_NET_RAW", "net_admin", "Cap_Net_Raw"])
def test_no_stage_may_meddle_with_its_network(name):
    said = f"^stage demo: no stage may have the capability {name}, with which it could .*; leave it out"
    with pytest.raises(ValueError, match=said):
        stage(capabilities=("CHOWN", name))


@pytest.mark.parametrize("name", ["ALL", "SYS_ADMIN", "CAP_CHOWN", "chown", ""])
def test_a_capability_that_a_stage_cannot_have_is_named_with_those_it_can(name):
    said = f"^stage demo: '{name}' is not a capability that a stage may have; expected one of .*CHOWN"
    with pytest.raises(ValueError, match=said):
        stage(capabilities=(name,))


def test_one_capability_is_a_tuple_too():
    with pytest.raises(ValueError, match=r"capabilities='CHOWN' is not a tuple, such as \('CHOWN',\)"):
        stage(capabilities="CHOWN")


def test_a_stage_has_no_capability_but_those_it_declares_in_every_market():
    assert stage().docker.capabilities == ()
    assert stage(capabilities=("CHOWN",)).of(Market(name="nyse")).docker.capabilities == ("CHOWN",)


def test_a_stage_writes_to_its_image_in_no_market_unless_it_says_so():
    assert stage().docker.read_only
    assert not stage(read_only=False).of(Market(name="nyse")).docker.read_only


def test_time_limit(monkeypatch):
    assert stage(timeout=timedelta(minutes=7)).time_limit == timedelta(minutes=7)


def test_time_limit_of_all_stages(monkeypatch):
    monkeypatch.setenv("RANKALPHA_STAGE_TIMEOUT", "90")
    assert stage(timeout=timedelta(minutes=7)).time_limit == timedelta(seconds=90)


def test_the_default_markets_stage_is_the_declared_one():
    assert stage().of(Market()) == stage()
