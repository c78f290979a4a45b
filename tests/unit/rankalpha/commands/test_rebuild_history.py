"""Writing the record of grades again: what is asked for, printed and returned."""

import pytest

from rankalpha.commands.rebuild_history import rebuild_history
from rankalpha.commands.refusals import Refused
from tests.support.http_server import local_server

KEY = "2026-11-20T06:00:00"


class Servers:
    """Airflow's API and RankAlpha's, as far as the command needs them."""

    def __init__(self):
        self.answer, self.posted = (200, {"recorded": [], "damaged": [], "unread": []}), []

    def __call__(self, request):
        if request.path == "/auth/token":
            return 201, {"access_token": "token"}
        if request.path.startswith("/api/v2/variables/"):
            return 404, {"detail": "not found"}
        self.posted.append((request.method, request.path, request.json()))
        return self.answer


@pytest.fixture
def servers(monkeypatch, profile_dir):
    found = Servers()
    with local_server(found) as (url, _):
        for name in ("AIRFLOW", "API", "FRONTEND"):
            monkeypatch.setenv(f"RANKALPHA_{name}_URL", url)
        monkeypatch.setenv("RANKALPHA_ADMIN_PASSWORD", "sesame")
        yield found


def test_it_is_asked_for_and_shown(servers, capsys):
    servers.answer = 200, {"recorded": [KEY], "damaged": ["2026-11.parquet.damaged"], "unread": []}
    assert rebuild_history(None) == 0
    assert servers.posted == [("POST", "/api/v1/grading/history/rebuild", {})]
    printed = capsys.readouterr().out
    assert "grades/history/2026-11.parquet.damaged" in printed
    assert "Recorded 1 batch;" in printed


def test_grades_that_cannot_be_read(servers, capsys):
    servers.answer = 200, {"recorded": [], "damaged": [], "unread": ["a.json is not a file of grades"]}
    assert rebuild_history(None) == 1
    assert "NOT RECORDED  a.json is not a file of grades" in capsys.readouterr().out


def test_an_api_that_does_not_know_it(servers):
    servers.answer = 404, {"detail": "Not Found"}
    with pytest.raises(Refused, match="answered 404"):
        rebuild_history(None)
