from pathlib import Path

import pytest
from airflow.sdk.execution_time import task_runner

from rankalpha.settings import SettingsError
from rankalpha.stages.profile import Profile, profile_dir, variable


def profile(variables: dict[str, str] | None = None, **file: str) -> Profile:
    return Profile(file=file, defaults={"A": "default", "B": "default"}, lookup=(variables or {}).get)


def test_a_variable_wins_over_the_file_and_the_file_over_the_default():
    assert profile({"A": "variable"}, A="file").get("A") == "variable"
    assert profile(A="file").get("A") == "file"
    assert profile().get("A") == "default"


def test_an_empty_value_is_a_value():
    assert profile({"A": ""}, A="file").get("A") == ""
    assert profile(A="").get("A") == ""


def test_a_key_that_stands_nowhere():
    with pytest.raises(KeyError, match="C"):
        profile().get("C")
    assert profile().optional("C") == ""
    assert profile({"C": "x"}).optional("C") == "x"


def test_all_keys_of_file_and_defaults_with_the_value_that_wins():
    assert profile({"B": "variable", "X": "other"}, A="file", C="file").all() == {
        "A": "file",
        "B": "variable",
        "C": "file",
    }


@pytest.mark.parametrize(("text", "number"), [("1.5", 1.5), ("2", 2), ("1e1", 10), (" 3 ", 3)])
def test_number(text, number):
    assert profile(A=text).number("A") == number


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "two", "", "1,5", "0x10"])
def test_what_is_no_positive_number_is_named(text):
    with pytest.raises(SettingsError, match=f"A='{text}' is not a positive number"):
        profile(A=text).number("A")


def test_a_number_that_is_more_than_can_be_used_is_named():
    assert profile(A="60").number("A", most=60) == 60
    with pytest.raises(SettingsError, match="A='61' is too large; the maximum is 60"):
        profile(A="61").number("A", most=60)


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_value_that_nothing_can_hold_is_named_and_not_shown(value):
    for given in (
        profile({"A": value}),
        profile(A=value),
        Profile(file={}, defaults={"A": value}, lookup={}.get),
    ):
        for read in (given.get, given.optional, given.line, given.number):
            with pytest.raises(SettingsError, match=r"^A holds .* \(in its Variable or env file\)$"):
                read("A")
        with pytest.raises(SettingsError, match=r"^A holds"):
            given.all()


@pytest.mark.parametrize("value", ["", " ", "/a\nb", "/\x1b"])
def test_what_is_no_line_is_named(value):
    with pytest.raises(SettingsError, match=r"^A='.*' (is empty|holds the control character)"):
        profile(A=value).line("A")


def test_variable_is_airflows(monkeypatch):
    assert variable("RANKALPHA_TEST_ABSENT") is None
    monkeypatch.setenv("AIRFLOW_VAR_RANKALPHA_TEST", "5")
    assert variable("RANKALPHA_TEST") == "5"


def test_load_reads_the_file_of_the_chosen_profile(profile_dir, monkeypatch):
    (profile_dir / "demo.env").write_text("A=file\nB=file\n")
    monkeypatch.setenv("AIRFLOW_VAR_B", "variable")
    assert Profile.load("demo", {"A": "default", "C": "default"}).all() == {
        "A": "file",
        "B": "variable",
        "C": "default",
    }


def test_what_nobody_has_set_is_not_asked_for(profile_dir, variables, monkeypatch):
    (profile_dir / "demo.env").write_text("A=file\nB=file\n")
    variables["B"] = "variable"
    asked: list[str] = []
    monkeypatch.setattr("rankalpha.stages.profile.variable", lambda key: asked.append(key) or variables[key])
    assert Profile.load("demo", {}).all() == {"A": "file", "B": "variable"}
    assert asked == ["B"]


def test_a_secrets_backend_is_asked_for_every_key(profile_dir, monkeypatch):
    """It does not tell which keys it has."""
    (profile_dir / "demo.env").write_text("A=file\n")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "a.backend.of.somebody")
    monkeypatch.setattr("rankalpha.stages.profile.variable", {"A": "backend"}.get)
    assert Profile.load("demo", {}).get("A") == "backend"


def test_outside_of_a_task_the_environment_alone_has_variables(profile_dir, monkeypatch):
    (profile_dir / "demo.env").write_text("A=file\nB=file\n")
    monkeypatch.delattr(task_runner, "SUPERVISOR_COMMS")
    monkeypatch.setenv("AIRFLOW_VAR_B", "variable")
    assert Profile.load("demo", {}).all() == {"A": "file", "B": "variable"}


def test_load_names_a_file_that_is_missing(profile_dir):
    with pytest.raises(SettingsError, match=r"local/absent\.env is missing"):
        Profile.load("absent", {})


@pytest.fixture
def profiles(tmp_path, monkeypatch) -> Path:
    for name in ("local", "staging", "production"):
        (tmp_path / "env" / name).mkdir(parents=True)
    (tmp_path / "env" / "notes.txt").touch()
    (tmp_path / "secret").mkdir()
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(tmp_path / "env"))
    return tmp_path / "env"


def test_the_profile_is_local_by_default(profiles):
    assert profile_dir() == profiles / "local"


def test_the_setting_chooses_the_profile_and_the_variable_wins(profiles, monkeypatch):
    monkeypatch.setenv("RANKALPHA_ENV", "staging")
    assert profile_dir() == profiles / "staging"
    monkeypatch.setenv("AIRFLOW_VAR_ENV_PROFILE", "production")
    assert profile_dir() == profiles / "production"


@pytest.mark.parametrize("name", ["prod", "notes.txt", "LOCAL"])
def test_an_unknown_profile_lists_the_known_ones(profiles, monkeypatch, name):
    monkeypatch.setenv("AIRFLOW_VAR_ENV_PROFILE", name)
    with pytest.raises(
        SettingsError, match=rf"unknown profile '{name}'.*\['local', 'production', 'staging'\]"
    ):
        profile_dir()


@pytest.mark.parametrize(
    "name", ["..", ".", "../secret", "local/../staging", "./local", "local/", "/", "/tmp"]
)
def test_a_path_is_no_profile(profiles, monkeypatch, name):
    monkeypatch.setenv("AIRFLOW_VAR_ENV_PROFILE", name)
    with pytest.raises(SettingsError, match="unknown profile"):
        profile_dir()


def test_a_missing_folder_of_profiles_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="absent has no profiles"):
        profile_dir()
