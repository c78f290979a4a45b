"""What Yahoo is asked for: what may have been traded, and what fits into the time for asking."""

from datetime import date, timedelta

from tests.unit.apps.support.yahoo_server import Yahoo, weekdays
from tests.unit.apps.support.yahoo_stage import DAYS, SECOND, changed, closes, good, listing

SATURDAY, SUNDAY, MONDAY, TUESDAY = (f"2026-11-{day}T06:00:00" for day in ("21", "22", "23", "24"))
EACH_DAY = [date(2026, 6, 1) + timedelta(days=day) for day in range(180)]  # as crypto currencies are traded
SUNDAY_TO_THURSDAY = [day for day in EACH_DAY if day.isoweekday() not in (5, 6)]  # as in Riyadh


def asked(server: Yahoo) -> list[str]:
    names = sorted({symbol for symbol, query in server.asked if "period1" in query})
    server.asked.clear()
    return names


def test_at_the_weekend_only_what_is_traded_then_is_asked_for(tmp_path, server):
    server.listings = {"AAPL": listing(), "BTC-USD": listing(days=EACH_DAY), "2222.SR": listing()}
    server.listings["2222.SR"] = listing(days=SUNDAY_TO_THURSDAY, timezone="Asia/Riyadh")
    good(tmp_path, server, SATURDAY)
    assert asked(server) == ["2222.SR", "AAPL", "BTC-USD"]
    got = good(tmp_path, server, SUNDAY)
    assert asked(server) == ["BTC-USD"]
    assert (got["symbols"], got["behind"], got["left_out"], got["new_rows"]) == (3, 0, 0, 1)
    good(tmp_path, server, MONDAY)
    assert asked(server) == ["2222.SR", "BTC-USD"]
    good(tmp_path, server, TUESDAY)
    assert asked(server) == ["2222.SR", "AAPL", "BTC-USD"]
    for symbol, days in (("AAPL", DAYS), ("BTC-USD", EACH_DAY), ("2222.SR", SUNDAY_TO_THURSDAY)):
        assert sorted(closes(tmp_path, symbol, TUESDAY)) == [day for day in days if day < date(2026, 11, 24)]


def test_a_day_on_which_nothing_can_be_new_takes_the_files_of_the_batch_before(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    names = "AAPL,GONE,MSFT"  # a symbol that Yahoo does not have is not asked for either
    first = good(tmp_path, server, SATURDAY, names)
    server.asked.clear()
    for batch in (SUNDAY, MONDAY):
        got = good(tmp_path, server, batch, names)
        assert "nothing is new since the batch before" in got["log"]
        assert (got["rows"], got["missing_unknown"], got["new_rows"]) == (first["rows"], 1, 0)
    assert server.asked == []
    assert good(tmp_path, server, TUESDAY, names)["new_rows"] == 2
    assert asked(server) == ["AAPL", "MSFT"]
    assert good(tmp_path, server, "2026-11-24T18:00:00", names)["new_rows"] == 0  # the day is not over
    assert server.asked == []


def test_a_symbol_without_friday_is_asked_for_at_the_weekend(tmp_path, server):
    """The close of Friday may come late, or the answer of Saturday was lost."""
    friday = date(2026, 11, 20)
    server.listings = {"AAPL": changed(listing(), {friday: None}), "MSFT": listing()}
    good(tmp_path, server, SATURDAY)
    server.listings["AAPL"] = listing()
    server.asked.clear()
    assert good(tmp_path, server, SUNDAY)["new_rows"] == 1
    assert asked(server) == ["AAPL"]
    assert friday in closes(tmp_path, "AAPL", SUNDAY)


def test_a_short_history_shows_no_weekend(tmp_path, server):
    server.listings = {"NEW": listing(days=weekdays(date(2026, 11, 2), date(2026, 11, 27)))}
    good(tmp_path, server, SATURDAY)
    server.asked.clear()
    good(tmp_path, server, SUNDAY)
    assert asked(server) == ["NEW"]


def test_when_the_time_is_over_the_others_keep_what_is_known(tmp_path, server):
    names = [f"S{number:02}" for number in range(20)]
    server.listings = {name: listing() for name in names}
    good(tmp_path, server)
    server.asked.clear()

    def slow(symbol: str, nth: int) -> None:
        server.stopped.wait(0.4)

    server.instead = slow
    got = good(tmp_path, server, SECOND, INGESTION_BUDGET_MINUTES="0.01")
    answered = asked(server)
    assert 0 < len(answered) < len(names)
    assert (got["symbols"], got["behind"], got["missing_unasked"]) == (20, *[20 - len(answered)] * 2)
    assert (
        "warning: INGESTION_BUDGET_MINUTES=0.01 is over, the remaining symbols are not asked for"
        in got["log"]
    )
    assert (
        "S10 is kept as it was: Yahoo was not asked for S10: INGESTION_BUDGET_MINUTES=0.01 is" in got["log"]
    )
    assert closes(tmp_path, "S19", SECOND) == closes(tmp_path, "S19")


def test_with_an_exchange_its_sessions_decide(tmp_path, server):
    """On Thanksgiving nothing is traded, and on the day after only until 18:00 UTC."""
    days = [day for day in weekdays(date(2026, 6, 1), date(2026, 12, 4)) if day != date(2026, 11, 26)]
    server.listings = {"AAPL": listing(days=days), "MSFT": listing(days=days)}
    nyse = {"RANKALPHA_CALENDAR": "XNYS"}
    newest = {
        "2026-11-25T15:00:00": 24,  # the exchange is open
        "2026-11-25T21:30:00": 25,  # half an hour after the close
        "2026-11-26T21:30:00": 25,
        "2026-11-27T17:00:00": 25,
        "2026-11-27T18:30:00": 27,
        "2026-11-29T06:00:00": 27,
    }
    before = 0
    for batch, day in newest.items():
        good(tmp_path, server, batch, **nyse)
        assert max(closes(tmp_path, "AAPL", batch)) == date(2026, 11, day)
        assert asked(server) == (["AAPL", "MSFT"] if day > before else [])
        before = day
