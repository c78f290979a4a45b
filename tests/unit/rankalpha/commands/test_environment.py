"""Whose settings a command works with in the containers."""

import os

import pytest

from rankalpha.commands import environment
from rankalpha.commands.environment import embedded_stack, use_stack
from rankalpha.commands.refusals import Refused
from rankalpha.settings import SettingsError, settings


@pytest.fixture
def container(monkeypatch, tmp_path):
    """A process that somebody has started in a container, without its entry point: the profile's folder."""
    monkeypatch.setattr(os, "environ", os.environ.copy())  # which a command replaces
    monkeypatch.setattr(environment, "ROOT", tmp_path / "site-packages")
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(tmp_path / "env"))
    profile = tmp_path / "env" / "local"
    profile.mkdir(parents=True)
    return profile


def test_a_command_has_the_settings_of_the_profiles_env_file(container):
    (container / "airflow.env").write_text("RANKALPHA_RETRIES=7\nRANKALPHA_WATCH_DAYS=2\n")
    os.environ["RANKALPHA_WATCH_DAYS"] = "5"
    use_stack()
    assert (settings().retries, settings().watch_days) == (7, 5), "what the container was given wins"


def test_a_mistake_in_the_profile_is_refused(container):
    with pytest.raises(SettingsError, match=r"airflow\.env"):
        use_stack()


def test_the_commands_for_the_stack_of_a_checkout_name_what_is_to_be_done_instead(container):
    with pytest.raises(Refused, match="`docker compose up -d`"):
        embedded_stack()
