"""Writing the record of grades again: what is asked for, printed and returned."""

import pytest

from rankalpha.commands.rebuild_history import rebuild_history
from rankalpha.commands.refusals import Refused

KEY = "2026-11-20T06:00:00"


class Servers:
    """Airflow's API and RankAlpha's, as far as the command needs them."""

    def __init__(self):
        self.answer, self.posted = (200, {"recorded": [], "damaged": [], "unread": []}), []

    def __call__(self, request):
        self.posted.append((request.method, request.path, request.json()))
        return self.answer


@pytest.fixture
def servers(serving):
    found = Servers()
    with serving(found):
        yield found


def test_it_is_asked_for_and_shown(servers, capsys):
    servers.answer = 200, {"recorded": [KEY], "damaged": ["2026-11.parquet.damaged"], "unread": []}
    assert rebuild_history(None) == 0
    assert servers.posted == [("POST", "/api/v1/grading/history/rebuild", {})]
    printed = capsys.readouterr().out
    assert "grades/history/2026-11.parquet.damaged" in printed
    assert "Recorded 1 batch.\n" in printed
    assert "missing now; a backup may have them" in printed


def test_without_damage_nothing_is_missing(servers, capsys):
    servers.answer = 200, {"recorded": [KEY], "damaged": [], "unread": []}
    assert rebuild_history(None) == 0
    assert capsys.readouterr().out == "Recorded 1 batch; the others were in the record already.\n"


def test_grades_that_cannot_be_read(servers, capsys):
    servers.answer = 200, {"recorded": [], "damaged": [], "unread": ["a.json is not a file of grades"]}
    assert rebuild_history(None) == 1
    assert "NOT RECORDED  a.json is not a file of grades" in capsys.readouterr().out


def test_an_api_that_does_not_know_it(servers):
    servers.answer = 404, {"detail": "Not Found"}
    with pytest.raises(Refused, match="answered 404"):
        rebuild_history(None)
