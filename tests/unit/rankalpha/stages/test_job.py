import pytest

from rankalpha.pipeline.market import Market
from rankalpha.settings import SettingsError
from rankalpha.stages.docker import Volume
from rankalpha.stages.job import StageJob
from tests.unit.rankalpha.support.demo_stage import KEY, stage

pytestmark = pytest.mark.usefixtures("profile_dir")


def test_the_size_of_tmp_is_a_setting(profile_dir, monkeypatch):
    assert StageJob.of(stage(), KEY, labels={}).tmp_bytes == 256 * 1024**2
    (profile_dir / "demo.env").write_text("DEMO_TMP=1g\n")
    job = StageJob.of(stage(), KEY, labels={})
    assert (job.tmp_bytes, "DEMO_TMP" in job.env) == (1024**3, False)
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_TMP", "64m")
    assert StageJob.of(stage(), KEY, labels={}).tmp_bytes == 64 * 1024**2


@pytest.mark.parametrize("size", ["0", "1000"])
def test_a_tmp_without_a_bound_is_named(monkeypatch, size):
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_TMP", size)
    with pytest.raises(SettingsError, match=f"DEMO_TMP='{size}' is below the minimum of 1m"):
        StageJob.of(stage(), KEY, labels={})


def test_a_stage_with_a_proxy_calls_the_stacks_services_without_it(profile_dir):
    (profile_dir / "demo.env").write_text("HTTPS_PROXY=http://proxy:3128\nNO_PROXY=corp.example\n")
    env = StageJob.of(stage(), KEY, labels={}).env
    assert env["HTTPS_PROXY"] == "http://proxy:3128"
    assert env["NO_PROXY"].startswith("corp.example,localhost,127.0.0.1,")
    assert "api" in env["NO_PROXY"].split(",")


def test_a_job_has_what_the_stage_declares():
    job = StageJob.of(stage(cpus=0.5, memory="256m", pids=99, env={"DEPTH": "3"}), KEY, labels={"a": "b"})
    assert (job.image, job.command, job.batch) == ("demo:1", "python main.py", KEY)
    assert (job.cpus, job.memory_bytes, job.pids) == (0.5, 256 * 1024 * 1024, 99)
    own = {"RANKALPHA_ENV": "local", "RANKALPHA_BATCH": KEY, "RANKALPHA_DATE": "2025-11-20"}
    assert job.env == {"DEPTH": "3", **own, "RANKALPHA_CALENDAR": "XNYS"}
    assert job.labels == {"a": "b"}


def test_file_and_variables_override_and_orchestration_stays_outside(profile_dir, monkeypatch):
    (profile_dir / "demo.env").write_text("DEMO_IMAGE=demo:2\nDEMO_CPUS=2\nDEPTH=4\nCOLOUR=red\n")
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_MEM", "2g")
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_COMMAND", "python other.py")
    monkeypatch.setenv("AIRFLOW_VAR_DEPTH", "5")
    job = StageJob.of(stage(env={"DEPTH": "3", "SPEED": "1"}), KEY, labels={})
    assert (job.image, job.command) == ("demo:2", "python other.py")
    assert (job.cpus, job.memory_bytes) == (2.0, 2 * 1024**3)
    assert job.env == {
        "DEPTH": "5",
        "SPEED": "1",
        "COLOUR": "red",
        "RANKALPHA_ENV": "local",
        "RANKALPHA_BATCH": KEY,
        "RANKALPHA_DATE": "2025-11-20",
        "RANKALPHA_CALENDAR": "XNYS",
    }


def test_the_batch_and_the_profile_are_not_the_files_to_choose(profile_dir):
    (profile_dir / "demo.env").write_text(
        "RANKALPHA_BATCH=1999-01-01T00:00:00\nRANKALPHA_DATE=1999-01-01\nRANKALPHA_ENV=other\n"
    )
    env = StageJob.of(stage(), KEY, labels={}).env
    own = (env["RANKALPHA_BATCH"], env["RANKALPHA_DATE"], env["RANKALPHA_ENV"])
    assert own == (KEY, "2025-11-20", "local")


def test_a_stage_is_told_its_profile(profile_dir, monkeypatch):
    (profile_dir.parent / "staging").mkdir()
    (profile_dir.parent / "staging" / "demo.env").touch()
    monkeypatch.setenv("AIRFLOW_VAR_ENV_PROFILE", "staging")
    assert StageJob.of(stage(), KEY, labels={}).env["RANKALPHA_ENV"] == "staging"


def test_a_secret_is_handed_over_when_it_is_set(profile_dir, monkeypatch):
    assert "DEMO_TOKEN" not in StageJob.of(stage(secrets=("DEMO_TOKEN",)), KEY, labels={}).env
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_TOKEN", "s3cret")
    assert StageJob.of(stage(secrets=("DEMO_TOKEN",)), KEY, labels={}).env["DEMO_TOKEN"] == "s3cret"


def test_an_empty_secret_counts_as_not_set(profile_dir):
    (profile_dir / "demo.env").write_text("DEMO_TOKEN=\n")
    assert "DEMO_TOKEN" not in StageJob.of(stage(secrets=("DEMO_TOKEN",)), KEY, labels={}).env


def test_a_variable_that_is_no_declared_secret_stays_in_airflow(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_OTHER_TOKEN", "s3cret")
    assert "OTHER_TOKEN" not in StageJob.of(stage(secrets=("DEMO_TOKEN",)), KEY, labels={}).env


def test_a_job_does_not_show_its_secrets(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_TOKEN", "s3cret")
    assert "s3cret" not in repr(StageJob.of(stage(secrets=("DEMO_TOKEN",)), KEY, labels={}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CPUS", "two"),
        ("CPUS", "0"),
        ("CPUS", "-1"),
        ("CPUS", "0.001"),
        ("CPUS", ""),
        ("PIDS", "0"),
        ("PIDS", "0.5"),
        ("PIDS", "many"),
        ("PIDS", "inf"),
        ("PIDS", "nan"),
        ("PIDS", "4194305"),
        ("PIDS", "1e300"),
        ("CPUS", "nan"),
        ("CPUS", "1e300"),
        ("MEM", "9" * 30 + "g"),
        ("MEM", "9" * 5000),
        ("MEM", "lots"),
        ("MEM", "5x"),
        ("MEM", "1m"),
        ("MEM", "0"),
        ("MEM", "-1g"),
        ("MEM", "infg"),
        ("MEM", "nang"),
        ("MEM", ""),
    ],
)
def test_a_limit_that_makes_no_sense_is_named(profile_dir, key, value):
    (profile_dir / "demo.env").write_text(f"DEMO_{key}={value}\n")
    with pytest.raises(SettingsError, match=f"^DEMO_{key}='{value[:100]}'.* is ") as caught:
        StageJob.of(stage(), KEY, labels={})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "DEMO_COMMAND",
            "python '",
            'DEMO_COMMAND="python \'" cannot be split into words: No closing quotation',
        ),
        ("DEMO_COMMAND", "a\0b", r"DEMO_COMMAND holds the character U\+0000 \(NUL\) at position 1"),
        ("DEMO_IMAGE", "Demo:1", "DEMO_IMAGE='Demo:1' is not the name of an image"),
        ("DEMO_IMAGE", "demo:1\n", r"DEMO_IMAGE='demo:1\\n' holds the control character U\+000A"),
        ("DEMO_MEM", "\ud800", r"DEMO_MEM holds U\+D800, which is half a character"),
        ("DEMO_TOKEN", "s3cret\0", r"DEMO_TOKEN holds the character U\+0000 \(NUL\) at position 6"),
        ("DEPTH", "s3cret\ud800", r"DEPTH holds U\+D800, which is half a character, at position 6"),
        ("DEPTH", "s3cret" * 30_000, "the environment of stage demo is too large: DEPTH has 180006 bytes"),
        ("ENV_PROFILE", "\0", r"unknown profile '\\x00'"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variables, key, value, said):
    variables[key] = value
    with pytest.raises(SettingsError, match=f"^{said}") as caught:
        StageJob.of(stage(env={"DEPTH": "1"}, secrets=("DEMO_TOKEN",)), KEY, labels={})
    assert "s3cret" not in str(caught.value)


def test_the_variables_that_a_stage_is_not_given_are_known(variables, profile_dir):
    (profile_dir / "demo.env").write_text("COLOUR=red\n")
    variables |= dict.fromkeys(("DEMO_MEM", "DEPTH", "COLOUR", "DEMO_TOKEN", "ENV_PROFILE", "OTHER"), "1g")
    variables["ENV_PROFILE"] = "local"
    job = StageJob.of(stage(env={"DEPTH": "1"}, secrets=("DEMO_TOKEN",)), KEY, labels={})
    assert job.unreached == {"ENV_PROFILE", "OTHER"}


@pytest.mark.parametrize("key", ["IMAGE", "COMMAND"])
def test_an_empty_image_or_command_is_named(profile_dir, key):
    (profile_dir / "demo.env").write_text(f"DEMO_{key}=\n")
    with pytest.raises(SettingsError, match=f"^DEMO_{key} is empty"):
        StageJob.of(stage(), KEY, labels={})


def test_a_stage_of_another_market_has_volumes_image_and_profile_of_its_own(profile_dir):
    own = profile_dir.with_name("nyse")
    own.mkdir()
    (own / "demo.env").write_text("DEMO_IMAGE=demo:3\nDEPTH=4\n")
    market = Market(name="nyse", profile="nyse", slots=2)
    made = stage(env={"DEPTH": "3"}).of(market)
    assert made.docker.volumes == (Volume("prices_data_nyse", "/data/prices"),)
    job = StageJob.of(made, KEY, labels={})
    assert job.image == "demo:3"
    assert (job.env["DEPTH"], job.env["RANKALPHA_ENV"], job.env["RANKALPHA_MARKET"]) == ("4", "nyse", "nyse")


def test_a_stage_is_given_the_calendar_of_its_market(profile_dir):
    def calendar(market):
        return StageJob.of(stage().of(market), KEY, labels={}).env.get("RANKALPHA_CALENDAR")

    markets = Market(), Market(calendar=""), Market(name="lse"), Market(name="lse", calendar="XLON")
    assert [calendar(market) for market in markets] == ["XNYS", None, None, "XLON"]


def test_the_image_that_a_market_names_wins(profile_dir, monkeypatch):
    (profile_dir / "demo.env").write_text("DEMO_IMAGE=demo:2\n")
    monkeypatch.setenv("AIRFLOW_VAR_DEMO_IMAGE", "demo:4")
    market = Market(name="nyse", images={"demo": "demo:5"})
    assert StageJob.of(stage().of(market), KEY, labels={}).image == "demo:5"
    assert StageJob.of(stage().of(Market(name="lse")), KEY, labels={}).image == "demo:4"


def test_a_profile_of_a_market_that_is_not_there_is_named(profile_dir):
    with pytest.raises(SettingsError, match="unknown profile 'nyse'"):
        StageJob.of(stage().of(Market(name="lse", profile="nyse")), KEY, labels={})
