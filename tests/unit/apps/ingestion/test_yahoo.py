"""What the ingestion stage makes of Yahoo's answers, from a local server that speaks its protocol."""

import json
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from apps.common.stage import BadConfig
from apps.ingestion.sources.yahoo import YahooSource
from apps.ingestion.sources.yahoo_frames import to_prices
from tests.unit.apps.support.yahoo_server import Listing, unknown, weekdays
from tests.unit.apps.support.yahoo_stage import (
    DAYS,
    SECOND,
    THIRD,
    changed,
    closes,
    good,
    ingest,
    listing,
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
    rescaled = json.loads((tmp_path / "prices" / SECOND / "changes.json").read_text())["rescaled"]
    assert [(each["symbol"], each["actions"]) for each in rescaled] == [
        ("AAPL", [{"date": "2026-11-26", "kind": "dividend", "value": 1.25}]),
        ("MSFT", [{"date": "2026-11-26", "kind": "split", "value": 2.0}]),
    ]
    assert rescaled[1]["factor"] == 0.5
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


def test_one_symbol_of_many_without_prices(tmp_path, server):
    days = DAYS[-5:]
    server.listings = {f"S{number:03}": listing(days=days) for number in range(50)}
    got = good(tmp_path, server, symbols=",".join([*server.listings, "ZZZ"]))
    assert (got["symbols"], got["left_out"], got["missing_unknown"]) == (50, 1, 1)


def test_a_jump_is_named_with_symbol_and_day(tmp_path, server):
    whole = listing()
    split = {day: (close or 0) / 4 for day, close in whole.bars if day >= date(2026, 10, 1)}
    server.listings = {"AAPL": changed(whole, split), "MSFT": changed(whole, {date(2026, 11, 2): 11000.0})}
    got = good(tmp_path, server)
    assert got["jumps"] == 3
    assert "AAPL 2026-10-01 x0.25" in got["log"]
    assert "MSFT 2026-11-02 x" in got["log"]
    assert good(tmp_path, server, SECOND)["jumps"] == 0


@pytest.mark.parametrize("since", [DAYS[0], date(2026, 11, 24), date(2026, 11, 26)])
def test_pounds_that_turn_to_pence_are_named(tmp_path, server, since):
    server.listings = {"VOD.L": listing(), "BP.L": listing()}
    good(tmp_path, server)
    pence = {day: 100 * (close or 0) for day, close in listing().bars if day >= since}
    server.listings["VOD.L"] = changed(listing(), pence)
    got = good(tmp_path, server, SECOND)
    assert got["jumps"] == 1
    (line,) = [line for line in got["log"].splitlines() if "closes that jump" in line]
    assert "VOD.L 2026-11-" in line
    assert "(pounds and pence?)" in line


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
