from pathlib import Path

import pytest

from rankalpha.settings import AdminSettings, Settings, SettingsError, StackSettings, settings


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
        ("DOCKER_URL", "docker-proxy:2375"),
        ("DOCKER_URL", "tcp://docker-proxy"),
        ("AIRFLOW_URL", "airflow:8080"),
        ("API_URL", "http://"),
        ("FRONTEND_URL", "http://a b"),
        *(
            (variable, value)
            for variable in (
                "MAX_AGE_DAYS",
                "MAX_SESSIONS_BEHIND",
                "STAGE_SLOTS",
                "DEFER_AFTER",
                "LOG_MB",
                "KEEP_FAILED_HOURS",
                "KEEP_LOG_DAYS",
                "KEEP_METADATA_DAYS",
                "RETRIES",
                "RETRY_DELAY",
                "MAX_RETRY_DELAY",
                "STAGE_TIMEOUT",
                "WATCH_DAYS",
                "GRADED_WITHIN",
                "STARTED_WITHIN",
                "FINISHED_WITHIN",
            )
            for value in ("nan", "inf", "-1", "1e300", "9" * 30)
        ),
    ],
)
def test_a_bad_value_is_named_with_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(f"RANKALPHA_{variable}", value)
    with pytest.raises(SettingsError, match=f"RANKALPHA_{variable}='{value}': "):
        settings()


@pytest.mark.parametrize("url", ["hc-ping.com/s3cret", "http:///s3cret"])
def test_the_address_of_a_monitor_that_is_none_is_named_and_not_shown(monkeypatch, url):
    monkeypatch.setenv("RANKALPHA_PING_URL", url)
    with pytest.raises(SettingsError, match="PING_URL: is not an http or https address") as caught:
        settings()
    assert "s3cret" not in str(caught.value)


def test_every_number_has_bounds():
    """Without an upper one it may be more than Python's dates, Airflow or PostgreSQL can count."""
    for name, field in Settings.model_fields.items():
        if field.annotation in (int, float, int | None):
            assert any(hasattr(bound, "le") or hasattr(bound, "lt") for bound in field.metadata), name


@pytest.mark.parametrize("variable", ["ALERT_EMAIL", "RUNNER", "PING_URL"])
def test_what_is_no_utf8_is_named(monkeypatch, variable):
    monkeypatch.setenv(f"RANKALPHA_{variable}", "s3cret\udce9")
    with pytest.raises(
        SettingsError, match=rf"^RANKALPHA_{variable}.*: holds U\+DCE9, which is half a cha"
    ) as caught:
        settings()
    assert ("s3cret" in str(caught.value)) == (variable != "PING_URL"), "secrets do not show"


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
