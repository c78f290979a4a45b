"""A late publication: its version may have been removed meanwhile, and is compared with the disk first."""

from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.lineage.service import ServiceError
from rankalpha.operators.on_disk import problem_if_late
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT
from tests.unit.rankalpha.support.task_context import TaskInstance, context

VERSION = {"path": f"prices/{KEY}/ingestion-1-1", "sha256": "0a" * 32, "files": {}, "inputs": {}}
GONE = f"/data/{VERSION['path']}/manifest.json: missing"


class Log:
    def __init__(self):
        self.said = []

    def warning(self, text, *parts):
        self.said.append(text % parts)


@pytest.fixture
def asked(monkeypatch, profile_dir):
    """Ask about a version; return the problem, the requests of the API and what was logged."""

    def ask(answer, attempt=1, days=0.0, version=VERSION):
        ti, log = TaskInstance(), Log()
        ti.dag_id, ti.try_number = "rankalpha_ingestion", attempt
        given = context(KEY, ti)
        given["dag_run"].run_after = datetime.now(UTC) - timedelta(days=days)
        with local_server(lambda _: answer) as (url, requests):
            monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
            found = problem_if_late(given, {**RESULT, "version": version}, log)
        return found, requests, log.said

    return ask


SOUND, CHANGED = (200, {"ok": True, "problems": []}), (200, {"ok": False, "problems": [GONE]})


def test_what_was_just_written_is_not_read_again(asked):
    assert asked(CHANGED) == ("", [], [])


@pytest.mark.parametrize("late", [{"attempt": 2}, {"days": 8}])
def test_a_version_that_is_gone_is_named(asked, late):
    found, (request,), _ = asked(CHANGED, **late)
    assert found == GONE
    assert request.query == {"path": [VERSION["path"]], "sha256": [VERSION["sha256"]]}
    assert asked(SOUND, **late)[0] == ""


@pytest.mark.parametrize("version", [None, "1.2"])
def test_a_result_without_a_version_is_not_asked_about(asked, version):
    assert asked(CHANGED, attempt=2, version=version)[:2] == ("", [])


@pytest.mark.parametrize("late", [{"attempt": 2}, {"days": 8}])
def test_nothing_is_published_late_while_the_api_does_not_say(asked, late):
    """The error is not final, so that the task is attempted again."""
    with pytest.raises(ServiceError, match="answered 503"):
        asked((503, {"detail": "restarting"}), **late)


def test_an_api_that_knows_of_no_versions_makes_no_difference(asked):
    found, _, (said,) = asked((404, {"detail": "Not Found"}), attempt=2)
    assert found == ""
    assert "not compared with the disk" in said
