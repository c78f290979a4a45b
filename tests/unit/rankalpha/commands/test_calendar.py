"""A year of a market: sessions, holidays, the batches with nothing new; and whether its schedule is right."""

import json
from datetime import UTC, datetime

import pytest

from rankalpha.commands.calendar import calendar
from rankalpha.commands.refusals import Refused
from tests.unit.rankalpha.conftest import ROOT, forget


@pytest.fixture
def shown(monkeypatch, tmp_path, capfd):
    """Return a function that runs the command for a file of markets; it returns exit status and output."""

    def run(tables="[default]\n", year=2026, market=None, check=False, plan=False):
        file = tmp_path / "markets.toml"
        file.write_text(tables)
        monkeypatch.setenv("RANKALPHA_MARKETS", str(file))
        monkeypatch.setenv("RANKALPHA_APP_DIR", str(ROOT))
        forget()
        status = calendar(year, market, check, plan)
        return status, "".join(capfd.readouterr())

    return run


def test_a_year_of_the_default_market(shown):
    status, text = shown()
    assert status == 0
    head, total, _, *months = text.splitlines()
    assert head == "Market default: XNYS, 06:00 UTC, 2026"
    assert total == "251 sessions; 365 batches, 114 of them with nothing new"
    assert months[10].split("  ", 1)[0] == "2026-11"
    assert "27 18:00 UTC" in months[10]
    assert months[10].endswith("1 2 8 9 15 16 22 23 27 29 30")


def test_all_markets_with_a_calendar_are_shown_or_one(shown):
    tables = "[lse]\ncalendar = 'LSE'\nschedule = '0 18 * * 1-5'\n[other]\n[tokyo]\ncalendar = 'XTKS'\n"
    heads = [line for line in shown(tables)[1].splitlines() if line.startswith("Market")]
    assert heads == [
        "Market lse: LSE, cron 0 18 * * 1-5 UTC, 2026",
        "Market tokyo: XTKS, 06:00 UTC, 2026",
    ]
    assert "Market tokyo" not in shown(tables, market="lse")[1]


def test_batches_at_weekdays_have_nothing_new_on_holidays_only(shown):
    text = shown("[lse]\ncalendar = 'XLON'\nschedule = '0 18 * * 1-5'\n")[1]
    assert "261 batches, 8 of them with nothing new" in text


def test_a_schedule_that_runs_while_the_exchange_is_open_is_found(shown):
    """Tokyo closes at 06:30 UTC."""
    status, text = shown("[default]\n[tokyo]\ncalendar = 'XTKS'\n", check=True)
    assert status == 1
    assert "Market default: ok, no batch of 2026 is due while XNYS is open" in text
    assert "Market tokyo: 242 of 365 batches of 2026 are due while XTKS is open" in text
    assert "The first is due at 2026-01-05 06:00 UTC, and the close is at 06:30" in text
    assert shown("[tokyo]\ncalendar = 'XTKS'\nschedule = '0 7 * * *'\n", check=True)[0] == 0
    status, text = shown("[coins]\ncalendar = '24/7'\n", check=True)
    assert (status, "24/7 never rests" in text) == (0, True)


def test_what_cannot_be_shown_is_refused(shown):
    with pytest.raises(Refused, match=r"no market has a calendar; name its exchange in .*markets.toml"):
        shown("[default]\ncalendar = ''\n")
    with pytest.raises(Refused, match="market default has no calendar"):
        shown("[default]\ncalendar = ''\n", market="default")
    ahead = datetime.now(UTC).year + 10
    with pytest.raises(Refused, match=rf"--year 1900 is not known; expected 1991 to {ahead}"):
        shown(year=1900)
    assert shown(year=ahead)[0] == 0
    assert "2" in shown(year=1991)[1]


def test_a_year_that_the_library_does_not_know_yet_is_refused(shown):
    status, text = shown("[shanghai]\ncalendar = 'XSHG'\n", year=datetime.now(UTC).year + 5)
    assert (status, "error: RANKALPHA_CALENDAR=XSHG: its sessions are known until" in text) == (2, True)


def test_airflows_image_names_the_line_that_asks_the_services(shown, monkeypatch):
    monkeypatch.setattr("rankalpha.commands.calendar.find_spec", lambda _: None)
    with pytest.raises(Refused) as refused:
        shown(check=True, market="default")
    asked, _, answered = str(refused.value).partition(" | ")
    assert asked.endswith(
        "exec -T airflow-scheduler rankalpha calendar --year 2026 --market default --check --plan"
    )
    assert answered == "docker compose run --rm -T --no-deps api python apps/ingestion/year.py`"
    status, text = shown(plan=True)
    (plan,) = json.loads(text)
    assert (status, plan["calendar"], plan["batches"][:2]) == (
        0,
        "XNYS",
        ["2025-12-31T06:00:00", "2026-01-01T06:00:00"],
    )
    assert len(plan["batches"]) == 366
