"""env/example documents every setting, with its true default, and nothing that does not exist."""

import ast
import re
from pathlib import Path

import pytest
from airflow.configuration import conf
from pydantic import SecretStr

from rankalpha.settings import AdminSettings, DeploymentSettings, ProxySettings, Settings, StackSettings
from rankalpha.stages import INGESTION, SCORER, SENTIMENT_ANALYSIS
from rankalpha.stages.env_file import read_env_file
from rankalpha.stages.grading import FRONTEND_REFRESH, GRADING_REFRESH

ENV = Path(__file__).parents[4] / "env"
APPS = Path(__file__).parents[4] / "apps"
FILES = ("airflow", "ingestion", "scorer", "sentiment", "api")
STAGES = {"ingestion": INGESTION, "scorer": SCORER, "sentiment": SENTIMENT_ANALYSIS}
PATIENCE = ("TIMEOUT_SECONDS", "ATTEMPTS", "LONGEST_WAIT_SECONDS")  # of apps.common.transient
KEY = re.compile(r"[A-Z][A-Z0-9]*(_+[A-Z0-9]+)+")
CONTRACT = {"RANKALPHA_BATCH", "RANKALPHA_DATE", "RANKALPHA_RESULT", "RANKALPHA_DATA_DIR"}  # the runner's


def documented(name: str) -> dict[str, str]:
    """Return each key of an example file, set or commented out, with its value."""
    text = (ENV / "example" / f"{name}.env").read_text()
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", text, flags=re.MULTILINE))


def orchestration() -> dict[str, object]:
    """Return each variable of the settings classes with its default."""
    return {
        f"{model.model_config['env_prefix']}{name}".upper(): field.default
        for model in (Settings, StackSettings, AdminSettings, ProxySettings)
        for name, field in model.model_fields.items()
    }


def read_by(*folders: str) -> set[str]:
    """Return the environment variables that the services of these folders of apps/ speak of."""
    trees = [ast.parse(path.read_text()) for folder in folders for path in (APPS / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    calls = [ast.unparse(node) for node in nodes if isinstance(node, ast.Call)]
    patient = {found[1] for call in calls if (found := re.fullmatch(r"Patience\.from_env\('(\w+)'\)", call))}
    waits = {f"{prefix}_{name}" for prefix in patient for name in PATIENCE}
    return waits | {text for text in texts if isinstance(text, str) and KEY.fullmatch(text)}


def call_defaults() -> dict[str, str]:
    """Return the settings of both calls with their defaults."""
    pairs = {}
    for call in (GRADING_REFRESH, FRONTEND_REFRESH):
        pairs |= {f"{call.name}_METHOD": "POST", f"{call.name}_PATH": call.path, f"{call.name}_TIMEOUT": "60"}
        pairs[call.url_key] = Settings.model_fields[call.url_default].default
    return pairs


@pytest.mark.parametrize("variable", sorted(orchestration()))
def test_every_setting_is_documented_with_its_default(variable):
    default = orchestration()[variable]
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    text = "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
    assert documented("airflow")[variable] == text


def test_no_setting_is_documented_that_does_not_exist():
    own = {key for key in documented("airflow") if key.startswith("RANKALPHA_")}
    assert own == set(orchestration())


def test_each_option_of_airflow_exists():
    options = {key for name in ("example", "local") for key in read_env_file(ENV / name / "airflow.env")}
    options = {key for key in options | set(documented("airflow")) if key.startswith("AIRFLOW__")}
    known = {
        f"AIRFLOW__{section}__{option}".upper()
        for section, described in conf.configuration_description.items()
        for option in described["options"]
    }
    assert options
    assert options - known == set()


@pytest.mark.parametrize("name", STAGES)
def test_the_limits_of_a_stage_are_documented_with_their_defaults(name):
    stage, shown = STAGES[name], documented(name)
    declared = {"IMAGE": stage.image, "COMMAND": stage.command, "CPUS": str(stage.cpus)}
    declared |= {"MEM": stage.memory, "PIDS": str(stage.pids), "TMP": stage.tmp}
    assert {key: shown[f"{name.upper()}_{key}"] for key in declared} == declared
    assert f"run in {stage.working_dir}." in (ENV / "example" / f"{name}.env").read_text()


@pytest.mark.parametrize("name", STAGES)
def test_the_defaults_that_a_stage_declares_are_documented(name):
    env = STAGES[name].env
    assert {key: documented(name)[key] for key in env} == env
    assert set(STAGES[name].secrets) <= set(documented(name))


@pytest.mark.parametrize("name", STAGES)
def test_the_keys_of_a_stage_are_those_that_its_code_reads(name):
    limits = {f"{name.upper()}_{key}" for key in ("IMAGE", "COMMAND", "CPUS", "MEM", "PIDS", "TMP")}
    assert set(documented(name)) - limits == read_by(name) - CONTRACT - set(STAGES[name].data_dir_keys)


def test_the_keys_of_the_services_are_those_that_the_code_reads():
    read = read_by("api", "frontend") - CONTRACT - {"RANKALPHA_MARKETS"}  # the stack gives it
    assert set(documented("api")) == set(call_defaults()) | read


def test_the_calls_are_documented_with_their_defaults():
    shown = documented("api")
    assert {key: shown[key] for key in call_defaults()} == call_defaults()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("profile", ["example", "local"])
def test_a_profile_is_whole_and_well_formed(profile, name):
    assert read_env_file(ENV / profile / f"{name}.env").keys() <= documented(name).keys()


@pytest.mark.parametrize("name", FILES)
def test_each_key_has_a_comment_of_its_own(name):
    lines = (ENV / "example" / f"{name}.env").read_text().splitlines()
    keys = [index for index, line in enumerate(lines) if re.match(r"(# )?[A-Z][A-Z0-9_]*=", line)]
    assert keys
    bare = [lines[index] for index in keys if not re.match(r"# (?![A-Z0-9_]+=|---)\S", lines[index - 1])]
    assert bare == []


def test_the_variables_of_the_compose_files_are_documented_with_their_defaults():
    text, used = "".join(path.read_text() for path in ENV.parent.glob("docker-compose*.yml")), {}
    while found := re.search(r"\$\{([A-Z_]+):-([^${}]*)\}", text):  # the innermost first
        used.setdefault(found[1], found[2])
        text = text.replace(found[0], found[2])
    assert "${" not in text
    handed_on = re.findall(
        r"^ +([A-Z_]+): +#", text, re.MULTILINE
    )  # without a value: the environment's, if any
    assert handed_on == ["RANKALPHA_DEFER"]
    used["RANKALPHA_DEFER"] = str(Settings.model_fields["defer"].default).lower()
    assert documented("compose") == used


def test_the_compose_file_listens_where_the_settings_say():
    assert documented("compose")["RANKALPHA_BIND"] == DeploymentSettings.model_fields["bind"].default
