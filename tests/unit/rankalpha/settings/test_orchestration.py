from pathlib import Path

import pytest

from rankalpha.settings import Settings, settings


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


def test_every_number_has_bounds():
    """Without an upper one it may be more than Python's dates, Airflow or PostgreSQL can count."""
    for name, field in Settings.model_fields.items():
        if field.annotation in (int, float, int | None):
            assert any(hasattr(bound, "le") or hasattr(bound, "lt") for bound in field.metadata), name
