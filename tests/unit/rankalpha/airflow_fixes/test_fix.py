"""A fix is off, with one warning, where it cannot be applied, and takes nothing else with it."""

import logging

import pytest

from rankalpha import plugin
from rankalpha.airflow_fixes import clearing, fix
from rankalpha.airflow_fixes.fix import AbsentError, Fix, part


def failing(error):
    def apply():
        raise error

    return Fix(name="clearing", versions="3.3.0 to 3.3.2", issue="https://example.com/70368", apply=apply)


@pytest.fixture(autouse=True)
def _nothing_warned_of():
    fix._warn.cache_clear()


@pytest.mark.parametrize(
    ("error", "said"),
    [(AbsentError("models has no clear"), "models has no clear"), (OSError("full"), "OSError")],
)
def test_a_fix_that_cannot_be_applied_is_warned_of_once(caplog, error, said):
    broken = failing(error)
    assert (broken.on(), broken.on()) == (False, False)
    (message,) = caplog.messages
    for text in ("airflow_fixes/clearing.py is off", said, "3.3.0 to 3.3.2", "https://example.com/70368"):
        assert text in message


def test_a_part_that_is_there_is_returned():
    assert part("logging", "Logger") is logging.Logger
    assert part(logging, "Logger") is logging.Logger


@pytest.mark.parametrize(
    ("owner", "name", "said"),
    [
        ("logging", "Lager", "logging has no Lager"),
        (logging, "Lager", "logging has no Lager"),
        ("logging.sawmill", "Logger", "logging.sawmill has no Logger"),
    ],
)
def test_a_part_that_is_absent_is_named(owner, name, said):
    with pytest.raises(AbsentError, match=said):
        part(owner, name)


def test_a_function_with_other_arguments_is_not_replaced(monkeypatch):
    from airflow.models import taskinstance

    def other(dagrun, new_queued_at, others, session):
        """What a later Airflow may have."""

    monkeypatch.setattr(taskinstance, clearing.REPLACED, other)
    with pytest.raises(
        AbsentError, match="takes dagrun, new_queued_at, others, session, not dagrun, new_queued_at, session"
    ):
        clearing.apply()
    assert getattr(taskinstance, clearing.REPLACED) is other


def test_a_part_of_the_plugin_that_fails_takes_no_other_with_it(monkeypatch, caplog):
    def fails():
        raise ImportError("no module named rankalpha.web.app")

    class Loaded(plugin.RankAlphaPlugin):
        """Another class, because Airflow has loaded the plugin itself."""

    monkeypatch.setattr(plugin, "API_SERVER", "sys")
    monkeypatch.setitem(plugin.PARTS, "fastapi_apps", fails)
    Loaded.on_load()
    assert "part fastapi_apps of the API server is missing" in caplog.text
    assert [view["name"] for view in Loaded.external_views] == ["RankAlpha"]
    assert [module.__name__ for module in Loaded.listeners] == ["rankalpha.watchdog.listener"]
