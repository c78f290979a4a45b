"""The ingestion stage with the installed yfinance, which asks a local server that speaks Yahoo's protocol."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from apps.common.stage import BadConfig
from apps.ingestion.sources.yahoo import YahooSource
from apps.ingestion.sources.yahoo_frames import to_prices
from tests.unit.apps.support.stage_process import Ended, result, run_stage
from tests.unit.apps.support.yahoo_server import Answer, Listing, Yahoo, unknown, weekdays, yahoo

FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00" for day in (26, 27, 28))
DAYS = weekdays(date(2026, 6, 1), date(2026, 11, 27))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Yahoo]:
    with yahoo(tmp_path) as state:
        yield state


def ingest(data: Path, server: Yahoo, batch: str = FIRST, symbols: str = "", **settings: str) -> Ended:
    names = symbols or ",".join(sorted(server.listings))
    return run_stage("ingestion", data, batch, INGESTION_SYMBOLS=names, **server.settings, **settings)


def good(*args: object, **settings: object) -> dict:
    """Ingest, and return the result's details with its symbols and rows."""
    done = ingest(*args, **settings)
    assert done.returncode == 0, done.stderr
    got = result("ingestion", args[0], args[2] if len(args) > 2 else settings.get("batch", FIRST))
    return {**got["details"], "rows": got["rows"], "symbols": got["symbols"], "log": done.stdout}


def closes(data: Path, symbol: str, batch: str = FIRST) -> dict[date, float]:
    table = pl.read_parquet(data / "prices" / batch / "prices.parquet", glob=False)
    return dict(table.filter(pl.col("symbol") == symbol).select("date", "close").iter_rows())


def listing(start: float = 100.0, days: list[date] = DAYS, **changes: object) -> Listing:
    return Listing([(day, start + i / 8) for i, day in enumerate(days)], **changes)


def changed(listing: Listing, closes: dict[date, float | None]) -> Listing:
    return Listing(
        [(day, closes.get(day, close)) for day, close in listing.bars], listing.timezone, listing.dividends
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "America/New_York", "Asia/Tokyo"])
def test_an_index_of_any_unit_with_and_without_a_time_zone(unit, zone):
    index = pd.to_datetime([date(2026, 11, 24), date(2026, 11, 25)]).as_unit(unit).tz_localize(zone)
    columns = pd.MultiIndex.from_tuples([("Close", "AAPL"), ("Close", "SAP.DE")])
    frame = pd.DataFrame([[1.0, 2.0], [3.0, None]], index=index, columns=columns)
    assert sorted(to_prices(frame).rows()) == [
        ("AAPL", date(2026, 11, 24), 1.0),
        ("AAPL", date(2026, 11, 25), 3.0),
        ("SAP.DE", date(2026, 11, 24), 2.0),
    ]


def test_days_are_those_of_the_exchange_and_end_before_the_batch(tmp_path, server):
    zones = {"AAPL": "America/New_York", "0700.HK": "Asia/Hong_Kong", "M&M.NS": "Asia/Kolkata"}
    zones |= {"BRK-B": "America/New_York", "^GSPC": "America/New_York", "SAP.DE": "Europe/Berlin"}
    zones |= {
        "FPH.NZ": "Pacific/Auckland",
        "EURUSD=X": "Europe/London",
        "NIFTY_FIN_SERVICE.NS": "Asia/Kolkata",
    }
    server.listings = {symbol: listing(timezone=zone) for symbol, zone in zones.items()}
    got = good(tmp_path, server)
    assert (got["symbols"], got["behind"], got["left_out"]) == (len(zones), 0, 0)
    for symbol in zones:
        assert sorted(closes(tmp_path, symbol)) == [day for day in DAYS if day < date(2026, 11, 26)]


def test_holidays_and_days_without_a_close_are_left_out(tmp_path, server):
    thanksgiving = date(2026, 11, 24)
    open_days = [day for day in DAYS if day != thanksgiving]
    server.listings = {
        "AAPL": changed(listing(days=open_days), {date(2026, 11, 20): None, date(2026, 11, 19): 0})
    }
    assert good(tmp_path, server)["rows"] == len([day for day in open_days if day < date(2026, 11, 26)]) - 2
    assert thanksgiving not in closes(tmp_path, "AAPL")


def test_a_day_that_is_served_later_is_taken_and_counted(tmp_path, server):
    day = date(2026, 11, 23)
    whole = listing()
    server.listings = {"AAPL": changed(whole, {day: None})}
    good(tmp_path, server)
    assert day not in closes(tmp_path, "AAPL")
    server.listings = {"AAPL": whole}
    got = good(tmp_path, server, SECOND)
    assert (got["new_rows"], got["revised"]) == (2, 1)
    assert closes(tmp_path, "AAPL", SECOND)[day] == dict(whole.bars)[day]


def test_a_hole_that_is_older_is_asked_for_again(tmp_path, server):
    day = date(2026, 9, 1)
    whole = listing()
    server.listings = {"AAPL": changed(whole, {day: None}), "MSFT": whole}
    good(tmp_path, server)
    server.listings["AAPL"] = whole
    assert good(tmp_path, server, SECOND)["revised"] == 1
    assert day in closes(tmp_path, "AAPL", SECOND)
    assert server.since("AAPL")[-1] == date(2026, 8, 31)
    assert server.since("MSFT")[-1] == date(2026, 11, 12)  # ten sessions


def test_corrected_closes_are_taken_and_counted(tmp_path, server):
    whole = listing()
    server.listings = {
        "AAPL": changed(whole, {date(2026, 11, 25): 90.0})
    }  # partial: the last day's first price
    good(tmp_path, server)
    server.listings = {"AAPL": changed(whole, {date(2026, 11, 19): 99.0})}
    got = good(tmp_path, server, SECOND)
    assert (got["revised"], got["rescaled"], got["new_rows"]) == (2, 0, 3)
    assert closes(tmp_path, "AAPL", SECOND)[date(2026, 11, 19)] == 99.0


def test_a_dividend_and_a_split_rescale_the_history_and_are_recorded(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    good(tmp_path, server)
    ex_day = date(2026, 11, 26)
    server.listings["AAPL"].dividends[ex_day] = 1.25
    halves = [(day, close / 2) for day, close in server.listings["MSFT"].bars]
    server.listings["MSFT"] = Listing(halves, splits={ex_day: (2, 1)})
    got = good(tmp_path, server, SECOND)
    assert (got["rescaled"], got["revised"], got["jumps"]) == (2, 0, 0)
    told = json.loads((tmp_path / "prices" / SECOND / "changes.json").read_text())["rescaled"]
    assert [(one["symbol"], one["actions"]) for one in told] == [
        ("AAPL", [{"date": "2026-11-26", "kind": "dividend", "value": 1.25}]),
        ("MSFT", [{"date": "2026-11-26", "kind": "split", "value": 2.0}]),
    ]
    assert told[1]["factor"] == 0.5
    assert closes(tmp_path, "MSFT", SECOND) == {day: close for day, close in halves if day <= ex_day}
    assert "MSFT x0.5 (split 2 on 2026-11-26)" in got["log"]


def test_a_replacement_shorter_than_what_is_known_is_refused(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    good(tmp_path, server)
    known = closes(tmp_path, "AAPL")
    server.listings["AAPL"] = Listing([(date(2026, 11, 25), 1.02 * known[date(2026, 11, 25)])])
    got = good(tmp_path, server, SECOND)
    assert (got["behind"], got["missing_shorter"], got["symbols"]) == (1, 1, 2)
    assert closes(tmp_path, "AAPL", SECOND) == known
    assert "warning: AAPL is kept as it was" in got["log"]
    taken = good(tmp_path, server, THIRD, INGESTION_REPLACE="AAPL")
    assert (taken["behind"], len(closes(tmp_path, "AAPL", THIRD))) == (0, 1)


def test_two_bars_on_one_day_the_present_day_and_an_open_session(tmp_path, server):
    last, batch_day = date(2026, 11, 25), date(2026, 11, 26)
    late = datetime(2026, 11, 25, 20, 59, tzinfo=UTC)
    now = datetime.now(UTC)
    open_now = Listing([(day, 1.0) for day in weekdays(date(2026, 6, 1), now.date() + timedelta(days=1))])
    open_now.timezone, open_now.session = "UTC", (now - timedelta(hours=1), now + timedelta(hours=1))
    present = [(datetime(2026, 11, 26, hour, tzinfo=UTC), 9.0) for hour in (15, 16)]
    server.listings = {
        "TWICE": Listing([*listing(days=[day for day in DAYS if day <= last]).bars, (late, 7.0)]),
        "PRESENT": Listing([*listing(days=[day for day in DAYS if day <= last]).bars, *present]),
    }
    good(tmp_path, server)
    assert closes(tmp_path, "TWICE")[last] == 7.0
    assert max(closes(tmp_path, "PRESENT")) == last < batch_day
    server.listings = {"OPEN": open_now}
    tomorrow = (now + timedelta(days=2)).strftime("%Y-%m-%dT06:00:00")
    good(tmp_path, server, tomorrow)
    assert max(closes(tmp_path, "OPEN", tomorrow)) < (now - timedelta(hours=1)).date()


def test_delisted_and_renamed_symbols_keep_what_is_known_or_are_left_out(tmp_path, server):
    server.listings = {"FB": listing(), "MSFT": listing()}
    good(tmp_path, server)
    del server.listings["FB"]
    server.listings["GONE"] = listing(days=weekdays(date(2001, 1, 1), date(2001, 3, 1)))
    got = good(tmp_path, server, SECOND, symbols="FB,GONE,MSFT")
    assert (got["behind"], got["left_out"], got["symbols"]) == (1, 1, 2)
    assert (got["missing_unknown"], got["missing_empty"]) == (1, 1)
    assert "FB is kept as it was: Yahoo does not have FB (HTTP 404: No data found" in got["log"]
    assert "GONE is left out: Yahoo has no prices of GONE" in got["log"]


def test_one_symbol_of_501_without_prices(tmp_path, server):
    days = DAYS[-5:]
    server.listings = {f"S{number:03}": listing(days=days) for number in range(500)}
    got = good(tmp_path, server, symbols=",".join([*server.listings, "ZZZ"]))
    assert (got["symbols"], got["left_out"], got["missing_unknown"]) == (500, 1, 1)


def failing(answer: Answer, symbol: str = "AAPL", times: int = 9999):
    """Return what a server does that fails the first `times` it is asked for a symbol."""
    return lambda asked, nth: answer if asked == symbol and nth <= times else None


DOWN = [
    (429, "Too Many Requests", {}),
    (429, "Too Many Requests", {"retry-after": "7"}),
    (503, "", {}),
    (408, "", {}),
    (200, "<html>Will be right back</html>", {"content-type": "text/html"}),
    (200, '{"chart": {"result": [{"meta"', {}),
    (200, "", {}),
    (204, "", {}),
    (200, "not gzip", {"content-encoding": "gzip"}),
    (302, "", {"location": "https://query2.finance.yahoo.com/v8/finance/chart/AAPL"}),
]


@pytest.mark.parametrize("answer", DOWN, ids=lambda answer: f"{answer[0]} {answer[1][:20]}")
def test_what_may_pass_is_asked_again_and_does_not_end_the_batch(tmp_path, server, answer):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.instead = failing(answer, times=2 if answer[0] != 302 else 60)
    assert good(tmp_path, server)["symbols"] == 2
    server.asked.clear()
    server.instead = failing(answer)
    got = good(tmp_path, server, SECOND)
    assert (got["behind"], got["missing_unavailable"]) == (1, 1)
    assert closes(tmp_path, "AAPL", SECOND) == closes(tmp_path, "AAPL")


def test_retry_after_is_waited_for_in_seconds_and_as_a_date(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    for batch, header, least in ((FIRST, "7", 7), (SECOND, moment, 20)):
        server.asked.clear()
        server.instead = failing((429, "", {"retry-after": header}), times=1)
        done = ingest(tmp_path, server, batch)
        assert done.returncode == 0, done.stderr
        assert least <= max(done.slept) <= 60


def test_when_yahoo_is_out_of_service_the_batch_ends_soon_and_may_be_tried_again(tmp_path, server):
    names = [f"S{number:03}" for number in range(300)]
    server.instead = lambda symbol, nth: (429, "", {"retry-after": "3600"})
    done = ingest(tmp_path, server, symbols=",".join(names))
    assert done.returncode == 69
    assert (
        "Yahoo has no prices for 300 of 300 symbols (S000, S001, S002, S003, S004); try again later"
        in done.stderr
    )
    assert "HTTP 429 and asks for 3600 s" in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(server.asked) < 20
    assert max(done.slept, default=0) < 3600


def test_who_is_refused_is_told_so(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.instead = lambda symbol, nth: (403, "Forbidden", {})
    done = ingest(tmp_path, server)
    assert done.returncode == 78
    assert "Yahoo refuses to serve this address (HTTP 403); check the proxy" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_answer_that_takes_too_long_is_given_up(tmp_path, server):
    server.listings = {"AAPL": listing(), "MSFT": listing()}

    def slow(symbol: str, nth: int) -> None:
        if symbol == "AAPL":
            server.stopped.wait(60)

    server.instead = slow
    limits = {"INGESTION_TIMEOUT_SECONDS": "0.5", "INGESTION_ATTEMPTS": "1"}
    got = good(tmp_path, server, **limits)
    assert (got["symbols"], got["missing_unavailable"]) == (1, 1)


def test_hosts_of_cookies_that_do_not_answer_are_waited_for_once(tmp_path, server):
    server.listings = {f"S{number}": listing() for number in range(20)}
    server.silent = {"fc.yahoo.com", "guce.yahoo.com"}
    server.anonymous = True
    assert good(tmp_path, server, INGESTION_TIMEOUT_SECONDS="1")["symbols"] == 20
    assert sorted(server.waited_for) == sorted(server.silent)


@pytest.mark.parametrize(
    "body", ['{"chart": {"result": [{}], "error": null}}', '{"chart": {"result": [7], "error": null}}', "[]"]
)
def test_an_answer_that_is_nonsense_is_that_symbols(tmp_path, server, body):
    server.listings = {"AAPL": listing(), "MSFT": listing()}
    server.instead = failing((200, body, {}))
    got = good(tmp_path, server)
    assert (got["symbols"], got["left_out"]) == (1, 1)


def test_a_jump_is_named_with_symbol_and_day(tmp_path, server):
    whole = listing()
    split = {day: (close or 0) / 4 for day, close in whole.bars if day >= date(2026, 10, 1)}
    server.listings = {"AAPL": changed(whole, split), "MSFT": changed(whole, {date(2026, 11, 2): 11000.0})}
    got = good(tmp_path, server)
    assert got["jumps"] == 3
    assert "AAPL 2026-10-01 x0.25" in got["log"]
    assert "MSFT 2026-11-02 x" in got["log"]
    assert good(tmp_path, server, SECOND)["jumps"] == 0


def test_time_zones_and_cookies_are_kept_for_the_next_batch(tmp_path, server):
    server.listings = {"AAPL": listing()}
    (tmp_path / "prices").mkdir()
    good(tmp_path, server)
    before = len(server.asked)
    good(tmp_path, server, SECOND)
    assert (before, len(server.asked) - before) == (2, 1)
    for file in (tmp_path / "prices" / ".yahoo").iterdir():
        file.write_bytes(b"damaged" * 1000)
    assert good(tmp_path, server, THIRD)["behind"] == 0


def test_a_folder_that_cannot_hold_databases_does_not_matter(tmp_path, server):
    server.listings = {"AAPL": listing()}
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / ".yahoo").write_text("a file")
    assert "holds no databases" in good(tmp_path, server)["log"]


def test_no_symbol_that_yahoo_has(tmp_path, server):
    server.instead = lambda symbol, nth: unknown()
    done = ingest(tmp_path, server, symbols="NONE")
    assert done.returncode == 65
    assert done.stderr.startswith("ingestion: Yahoo does not have NONE (HTTP 404: No data found")
    assert done.stderr.count("\n") == 1


def test_a_start_after_the_batch_is_a_bad_setting():
    with pytest.raises(BadConfig, match=r"INGESTION_START=2026-11-22 must be before the batch's day"):
        YahooSource(["AAPL"], date(2026, 11, 22), date(2026, 11, 22))


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
    names = [f"S{number:02}" for number in range(30)]
    server.listings = {name: listing() for name in names}
    good(tmp_path, server)
    server.asked.clear()

    def slow(symbol: str, nth: int) -> None:
        server.stopped.wait(1)

    server.instead = slow
    got = good(tmp_path, server, SECOND, INGESTION_BUDGET_MINUTES="0.02")
    answered = asked(server)
    assert 0 < len(answered) < len(names)
    assert (got["symbols"], got["behind"], got["missing_unasked"]) == (30, *[30 - len(answered)] * 2)
    assert (
        "warning: INGESTION_BUDGET_MINUTES=0.02 is over, the remaining symbols are not asked for"
        in got["log"]
    )
    assert (
        "S10 is kept as it was: Yahoo was not asked for S10: INGESTION_BUDGET_MINUTES=0.02 is" in got["log"]
    )
    assert closes(tmp_path, "S29", SECOND) == closes(tmp_path, "S29")
