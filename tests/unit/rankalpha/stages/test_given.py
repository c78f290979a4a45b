"""What a stage is told about versions, and what its result may say of its own."""

import json

import pytest

from rankalpha.pipeline.market import Market
from rankalpha.pipeline.versions import Given, Version
from rankalpha.stages.given import check_result, environment, folders_of, inputs_in
from rankalpha.stages.job import StageJob
from rankalpha.stages.storable import ResultError
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT, stage

OLDER = "2025-11-19T06:00:00"
NAME = "demo-3f9a1c2e-1"
READ = Version(f"prices/{KEY}/ingestion-00000000-1", "0a" * 32)
EARLIER = Version(f"reports/{OLDER}/demo-00000000-1", "0b" * 32)
OWN = {"path": f"reports/{KEY}/{NAME}", "sha256": "0c" * 32, "files": {}, "inputs": {}}
OUTPUT = f"/data/reports/{KEY}/{NAME}"


def test_a_stage_is_told_where_to_write_and_what_to_read():
    keep = {"since": "", "versions": [EARLIER.path]}
    given = Given({"prices": READ}, {"sentiment": [EARLIER]}, keep)
    env = environment(stage(output="reports", earlier={"sentiment": 30}), given, "/data", KEY, NAME)
    assert json.loads(env.pop("RANKALPHA_EARLIER_SENTIMENT")) == [[f"/data/{EARLIER.path}", "0b" * 32]]
    assert json.loads(env.pop("RANKALPHA_KEEP")) == keep
    assert env == {
        "RANKALPHA_OUTPUT": OUTPUT,
        "RANKALPHA_INPUT_PRICES": f"/data/{READ.path}",
        "RANKALPHA_INPUT_PRICES_SHA256": "0a" * 32,
    }
    assert folders_of(env) == (OUTPUT, [f"/data/{READ.path}"])


def test_what_does_not_exist_is_left_out():
    assert environment(stage(output="reports"), Given(), "/data", KEY, NAME) == {"RANKALPHA_OUTPUT": OUTPUT}


def test_a_stage_is_told_nothing_when_its_setting_says_so(profile_dir):
    versions = {"RANKALPHA_OUTPUT": OUTPUT}
    assert StageJob.of(stage(output="reports"), KEY, {}, versions).env["RANKALPHA_OUTPUT"] == OUTPUT
    (profile_dir / "demo.env").write_text("DEMO_VERSIONS=false\n")
    job = StageJob.of(stage(output="reports"), KEY, {}, versions)
    assert not {"RANKALPHA_OUTPUT", "DEMO_VERSIONS"} & job.env.keys()
    assert folders_of(job.env) == ("", [])


def test_a_market_has_the_same_paths_below_a_root_of_its_own():
    nyse = stage(output="reports").of(Market(name="nyse"))
    assert environment(nyse, Given(), "/there/nyse", KEY, NAME)["RANKALPHA_OUTPUT"].startswith(
        "/there/nyse/r"
    )


@pytest.mark.parametrize("result", [None, RESULT, {**RESULT, "version": OWN}])
def test_a_result_may_name_its_version_or_none(result):
    check_result(result, OUTPUT, "/data")


def test_a_stage_that_is_given_no_folder_may_call_what_it_likes_its_version():
    check_result({**RESULT, "version": "1.2"}, "", "/data")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"path": f"reports/{KEY}/demo-3f9a1c2e-2"}, f"demo-3f9a1c2e-2.*told to write reports/{KEY}/{NAME};"),
        ({"path": "../x"}, r"breaks its schema: \$\.version\.path"),
        ({"path": f"reports/{KEY}/{NAME}\n"}, r"\$\.version\.path"),
        ({"sha256": "x"}, r"\$\.version\.sha256"),
        ({"files": {"a": {"size": -1, "sha256": "0a" * 32}}}, r"\$\.version\.files\.a\.size"),
        ({"inputs": {"prices": {"path": "x"}}}, r"\$\.version\.inputs\.prices"),
    ],
)
def test_a_version_that_was_not_asked_for_is_named(parts, message):
    with pytest.raises(ResultError, match=message):
        check_result({**RESULT, "version": {**OWN, **parts}}, OUTPUT, "/data")


def test_a_version_that_is_no_object_is_refused_when_a_folder_was_given():
    with pytest.raises(ResultError, match=r"\$\.version: '1\.2' is not of type"):
        check_result({**RESULT, "version": "1.2"}, OUTPUT, "/data")


def test_a_version_without_a_folder_is_refused():
    with pytest.raises(ResultError, match="but the stage was given no RANKALPHA_OUTPUT"):
        check_result({**RESULT, "version": OWN}, "", "/data")


def test_what_a_container_was_given_is_read_in_its_environment():
    given = Given({"prices": READ}, {"sentiment": [EARLIER]}, {"since": "", "versions": []})
    env = environment(stage(output="reports", earlier={"sentiment": 30}), given, "/data", KEY, NAME)
    assert inputs_in(env, "/data") == {"prices": READ.reference}


def made_from(**read):
    return {**RESULT, "version": {**OWN, "inputs": {"prices": {**READ.reference, **read}}}}


@pytest.mark.parametrize(
    "result", [made_from(), made_from(more="it may say more"), {**RESULT, "version": OWN}]
)
def test_a_version_may_be_made_from_what_was_given_or_leave_it_unread(result):
    check_result(result, OUTPUT, "/data", {"prices": READ.reference})


@pytest.mark.parametrize("read", [{"path": f"prices/{KEY}/ingestion-11111111-1"}, {"sha256": "0f" * 32}])
def test_a_version_that_was_made_from_other_inputs_is_refused(read):
    with pytest.raises(ResultError, match=rf"as the prices that it has read, but .* given {READ.path} with"):
        check_result(made_from(**read), OUTPUT, "/data", {"prices": READ.reference})


def test_a_service_may_name_more_than_it_was_given():
    check_result(made_from(), OUTPUT, "/data", {"scores": READ.reference})
