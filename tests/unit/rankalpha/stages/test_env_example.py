"""env/example documents every setting, with its true default, and nothing that does not exist."""

import re
from pathlib import Path

import pytest
from airflow.configuration import conf
from pydantic import AliasChoices, SecretStr

from apps.api.settings import Settings as ApiSettings
from apps.frontend.settings import Settings as PageSettings
from apps.ingestion.settings import Settings as IngestionSettings
from apps.scorer.settings import Settings as ScorerSettings
from apps.sentiment.settings import ChatSettings
from apps.sentiment.settings import Settings as SentimentSettings
from rankalpha.settings import AdminSettings, DeploymentSettings, ProxySettings, Settings, StackSettings
from rankalpha.stages.env_file import read_env_file
from rankalpha.stages.grading import CALLS
from rankalpha.stages.ingestion import INGESTION
from rankalpha.stages.scorer import SCORER
from rankalpha.stages.sentiment import SENTIMENT_ANALYSIS

ENV = Path(__file__).parents[4] / "env"
APPS = Path(__file__).parents[4] / "apps"
FILES = ("airflow", "ingestion", "scorer", "sentiment", "api")
STAGES = {"ingestion": INGESTION, "scorer": SCORER, "sentiment": SENTIMENT_ANALYSIS}
SERVICES = {
    "ingestion": (IngestionSettings,),
    "scorer": (ScorerSettings,),
    "sentiment": (SentimentSettings, ChatSettings),
    "api": (ApiSettings, PageSettings),
}
CONTRACT = {"RANKALPHA_BATCH", "RANKALPHA_DATE", "RANKALPHA_RESULT", "RANKALPHA_DATA_DIR"}  # the runner's


def documented(name: str) -> dict[str, str]:
    """Return each key of an example file, set or commented out, with its value."""
    text = (ENV / "example" / f"{name}.env").read_text()
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", text, flags=re.MULTILINE))


def variables(*models: type) -> dict[str, str]:
    """Return each variable of settings classes with its default."""
    found = {}
    for model in models:
        for name, field in model.model_fields.items():
            alias = field.validation_alias or f"{model.model_config['env_prefix']}{name}".upper()
            keys = alias.choices if isinstance(alias, AliasChoices) else [alias]
            found |= dict.fromkeys(keys, shown(field.default))
    return found


def shown(default: object) -> str:
    """Return a default as an env file writes it."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def orchestration() -> dict[str, str]:
    """Return each variable of the orchestration with its default."""
    return variables(Settings, StackSettings, AdminSettings, ProxySettings)


def call_defaults() -> dict[str, str]:
    """Return the settings of all calls with their defaults."""
    pairs = {"GRADING_VERSIONS": "true"}
    for call in CALLS:
        pairs |= {f"{call.name}_METHOD": "POST", f"{call.name}_PATH": call.path, f"{call.name}_TIMEOUT": "60"}
        pairs[call.url_key] = Settings.model_fields[call.url_default].default
    return pairs


@pytest.mark.parametrize("variable", sorted(orchestration()))
def test_every_setting_is_documented_with_its_default(variable):
    assert documented("airflow")[variable] == orchestration()[variable]


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
    declared |= {"MEM": stage.memory, "PIDS": str(stage.pids), "TMP": stage.docker.tmp, "VERSIONS": "true"}
    declared |= {"REUSE": "true"} if stage.reuse else {}
    assert {key: shown[f"{name.upper()}_{key}"] for key in declared} == declared
    assert f"run in {stage.working_dir}." in (ENV / "example" / f"{name}.env").read_text()


@pytest.mark.parametrize("name", STAGES)
def test_the_defaults_that_a_stage_declares_are_documented(name):
    env = STAGES[name].env
    assert {key: documented(name)[key] for key in env} == env
    assert set(STAGES[name].secrets) <= set(documented(name))


@pytest.mark.parametrize("name", STAGES)
def test_the_keys_of_a_stage_are_those_that_its_code_reads(name):
    parts = ("IMAGE", "COMMAND", "CPUS", "MEM", "PIDS", "TMP", "VERSIONS", "REUSE")
    limits = {f"{name.upper()}_{key}" for key in parts}
    assert set(documented(name)) - limits == variables(*SERVICES[name]).keys() - CONTRACT - set(
        STAGES[name].data_dir_keys
    )


def test_the_keys_of_the_services_are_those_that_the_code_reads():
    read = variables(*SERVICES["api"]).keys() - CONTRACT - {"RANKALPHA_MARKETS"}  # the stack gives it
    assert set(documented("api")) == set(call_defaults()) | read


@pytest.mark.parametrize("name", SERVICES)
def test_the_settings_of_a_service_are_documented_with_their_defaults(name):
    own = {k: v for k, v in variables(*SERVICES[name]).items() if k in documented(name) | call_defaults()}
    assert own
    assert {k: documented(name)[k] for k in own} == own | {
        k: v for k, v in call_defaults().items() if k in own
    }


def test_only_settings_read_the_environment():
    """`apps/common` reads the container contract; a chat model's settings are read only if there is a key."""
    readers = {path.relative_to(APPS) for path in APPS.rglob("*.py") if "os.environ" in path.read_text()}
    contract = {Path("common", f"{name}.py") for name in ("batches", "stage", "versions")}
    assert readers == {*contract, Path("sentiment/settings.py")}


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
