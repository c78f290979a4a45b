from pathlib import Path

import pytest

from rankalpha.settings import AdminSettings, SettingsError, StackSettings, settings


def test_defaults_suit_the_containers_of_the_compose_stack():
    assert settings().runner == "docker"
    assert settings().env == "local"
    assert settings().env_dir == Path("/opt/rankalpha/env")
    assert settings().api_url == "http://api:6080"
    assert settings().frontend_url == "http://frontend:3000"
    assert settings().stage_timeout is None
    assert settings().require_result is False
    assert settings().retry_wait.total_seconds() == 300
    assert settings().max_retry_wait.total_seconds() == 1800


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("RUNNER", "process", "process"),
        ("RETRIES", "0", 0),
        ("ENV_DIR", "/x", Path("/x")),
        ("REQUIRE_RESULT", "true", True),
        ("STAGE_TIMEOUT", "90", 90),
    ],
)
def test_the_environment_wins(monkeypatch, variable, value, expected):
    monkeypatch.setenv(f"RANKALPHA_{variable}", value)
    assert getattr(settings(), variable.lower()) == expected


def test_the_environment_is_read_once(monkeypatch):
    before = settings()
    monkeypatch.setenv("RANKALPHA_RETRIES", "7")
    assert settings() is before


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RETRIES", "-1"),
        ("RETRIES", "many"),
        ("RETRY_DELAY", "5m"),
        ("MAX_RETRY_DELAY", "-1"),
        ("STAGE_TIMEOUT", "0"),
        ("REQUIRE_RESULT", "perhaps"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(f"RANKALPHA_{variable}", value)
    with pytest.raises(SettingsError, match=f"RANKALPHA_{variable}='{value}': "):
        settings()


def test_every_bad_value_is_named(monkeypatch):
    monkeypatch.setenv("RANKALPHA_RETRIES", "-1")
    monkeypatch.setenv("RANKALPHA_STAGE_TIMEOUT", "soon")
    with pytest.raises(SettingsError, match=r"RANKALPHA_RETRIES='-1'.*; RANKALPHA_STAGE_TIMEOUT='soon'"):
        settings()


def test_settings_cannot_be_changed_by_the_way():
    with pytest.raises(ValueError, match="frozen"):
        settings().retries = 1


def test_stack_settings(monkeypatch):
    monkeypatch.setenv("RANKALPHA_AIRFLOW_PORT", "18080")
    stack = StackSettings()
    assert (stack.airflow_port, stack.api_port, stack.frontend_port) == (18080, 6080, 3000)


def test_the_admin_password_does_not_show(monkeypatch):
    monkeypatch.setenv("RANKALPHA_ADMIN_PASSWORD", "sesame-17")
    admin = AdminSettings()
    assert admin.password.get_secret_value() == "sesame-17"
    assert "sesame" not in f"{admin!r} {admin}"
