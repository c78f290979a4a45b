"""Faulty CSV files: the message names the file, the line and column, and the fix."""

import os
from datetime import date

import pytest

from apps.common.stage import BadConfig, BadData
from apps.ingestion.sources.csv_files import CsvSource, read_prices
from tests.unit.apps.support.stage_process import result, run_stage


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not readable"),
        ("date,close\n", "no rows below line 1"),
        ("day,close\n2026-11-20,1\n", "no column 'date' in line 1 (day, close)"),
        (
            "date,close\n2026-11-20,1\n20.11.2026,1\n",
            "line 3, column 'date': '20.11.2026'; write a date like",
        ),
        ("date,close\n2026-11-20,1\n2026-02-30,1\n", "line 3, column 'date': '2026-02-30'"),
        ("date,close\n2026-11-20,1\n2026-11-21,\n", "line 3, column 'close': None; write a positive number"),
        ("date,close\n2026-11-20,n/a\n", "line 2, column 'close': 'n/a'"),
        ("date,close\n2026-11-20,0\n", "line 2, column 'close': '0'"),
        ("date,close\n2026-11-20,-3\n", "line 2, column 'close': '-3'"),
        ("date,close\n2026-11-20,inf\n", "line 2, column 'close': 'inf'"),
        ("date,close\n2026-11-20,nan\n", "line 2, column 'close': 'nan'"),
        ("date,close\n2026-11-20,1\n\n2026-11-21,x\n", "line 4, column 'close': 'x'"),
        (
            "date,close\n2026-11-20,1\n2026-11-20,2\n",
            "line 3, column 'date': '2026-11-20'; this date occurs twice",
        ),
        ("date,close\n2026-11-20,1\n2026-11-21,1,2,3\n", "not readable (line 3 has 4 cells, and line 1 2)"),
        ("\n\ndate;close\n2026-11-20;x\n", "line 4, column 'close': 'x'"),
        ("sep=;\ndate;close\n2026-11-20;x\n", "line 3, column 'close': 'x'"),
        ("date,close\n03/04/2026,1\n", "line 2, column 'date': '03/04/2026'"),  # of March or of April
        ("date,close\n1763510400,1\n", "line 2, column 'date': '1763510400'"),  # a moment, in no time zone
        ("date,close\n2026-1-9,1\n2026-11-20 10:00,1\n20.1.2026,1\n", "line 4, column 'date': '20.1.2026'"),
        ("date,close\n26-11-20,1\n", "line 2, column 'date': '26-11-20'"),
        ("date,close\n10022026,1\n", "line 2, column 'date': '10022026'"),
        (
            "Date,Close,Adj Close\n2026-11-19,2,1\n2026-11-20,3,null\n",
            "line 3 has a 'Close' of 3 but no",
        ),
        ("Date,Close,Adj Close\n2026-11-19,2,\n2026-11-20,3,1\n", "line 2 has a 'Close' of 2 but no"),
    ],
)
def test_the_first_fault_is_named(tmp_path, content, message):
    path = tmp_path / "AAA.csv"
    path.write_text(content)
    with pytest.raises(BadData) as caught:
        read_prices(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_binary_junk_is_bad_data(tmp_path):
    path = tmp_path / "AAA.csv"
    path.write_bytes(b"date,close\n\xff\xfe\x00\x81,1\n")
    with pytest.raises(BadData, match=r"AAA\.csv"):
        read_prices(path)


def test_windows_line_ends_byte_order_mark_and_any_order_are_read(tmp_path):
    path = tmp_path / "AAA.csv"
    path.write_bytes(b"\xef\xbb\xbfdate,close,note\r\n2026-11-20, 2.5 ,x\r\n2026-11-19,1,\r\n")
    assert read_prices(path)["close"].to_list() == [1.0, 2.5]


def test_files_as_people_have_them(tmp_path):
    days = "2026-11-20,1.5\n2026-11-19,1\n"
    written = {
        "yahoo": "Date,Open,High,Low,Close,Adj Close,Volume\n2026-11-19,7,7,7,7,1,9\n"
        "2026-11-20,7,7,7,7,1.5,9\n2026-11-18,null,null,null,null,null,null\n",
        "case": f"DATE,CLOSE\n{days}",
        "spaces": " Date , Close \n2026-11-20 , 1.5\n 2026-11-19, 1\n",
        "cr": f"date,close\n{days}".replace("\n", "\r"),
        "semicolons": "Date;Close\n2026-11-20;1.5\n2026-11-19;1\n",
        "commas": "Date;Close\n2026-11-20;1,5\n2026-11-19;1\n",
        "tabs": "date\tclose\n2026-11-20\t1.5\n2026-11-19\t1\n",
        "pandas": "Date,Close\n2026-11-20 00:00:00-05:00,1.5\n2026-11-19T00:00:00,1.0\n",
        "excel": "sep=;\nDate;Close\n2026-11-20;1,5\n2026-11-19;1\n",
        "quoted": '"Date","Adjusted Close"\n"2026-11-20","1.5"\n"2026-11-19","1"\n',
        "page": "Date,Open,Close*,Adj Close**\n2026-11-20,7,7,1.5\n2026-11-19,7,7,1\n",
        "unadjusted": "Date,Close,Adj Close\n2026-11-20,1.5,null\n2026-11-19,1,\n",
        "compact": "<DATE>,<CLOSE>\n20261120,1.5\n20261119,1\n",
        "slashes": "timestamp,close\n2026/11/20,1.5\n2026.11.19,1\n",
        "late": "\n\nDate;Close\n2026-11-20;1,5\n2026-11-19;1\n",
        "bars": '"a|b;c;d;e",Date,Close\n9,2026-11-20,1.5\n9,2026-11-19,1\n',
        "line": "line,date,close\n2,2026-11-20,1.5\n3,2026-11-19,1\n",
    }
    marked = {"bom": ("utf-8-sig", days), "utf16": ("utf-16", days), "utf32": ("utf-32", days)}
    marked |= {"little": ("utf-16-le", days), "big": ("utf-16-be", days)}
    for name, text in written.items():
        (tmp_path / f"{name}.csv").write_bytes(text.encode())
    for name, (encoding, text) in marked.items():
        (tmp_path / f"{name}.csv").write_bytes(f"date,close\r\n{text}".encode(encoding))
    for name in [*written, *marked]:
        got = read_prices(tmp_path / f"{name}.csv").select("date", "close").rows()
        assert got == [(date(2026, 11, 19), 1.0), (date(2026, 11, 20), 1.5)], name


@pytest.mark.parametrize(
    ("cells", "closes"),
    [
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1,234", "2,25"], [1.234, 2.25]),
        (["0,123", "1,234"], [0.123, 1.234]),
        (["1.234,5", "12"], [1234.5, 12.0]),
        (["1,234.5", "12"], [1234.5, 12.0]),
        (["1,234", "12.5"], [1234.0, 12.5]),
        (["1.234", "12,5"], [1234.0, 12.5]),
        (["1234,567", "1,234"], [1234.567, 1.234]),
        (["1,234,567", "1,234"], [1234567.0, 1234.0]),
        (["1.234", "2.345"], [1.234, 2.345]),
        (["1 234,567", "1\u00a0234"], [1234.567, 1234.0]),
        (["1'234.5", "12"], [1234.5, 12.0]),
        (["12\u202f345\u202f678,5", "1,5"], [12345678.5, 1.5]),
    ],
)
def test_a_decimal_comma_where_there_is_no_doubt(tmp_path, cells, closes):
    path = tmp_path / "AAA.csv"
    path.write_text(f"date;close\n2026-11-19;{cells[0]}\n2026-11-20;{cells[1]}\n")
    assert read_prices(path)["close"].to_list() == closes


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,234", "2,345"], "line 2, column 'close': '1,234'; thousands or decimals?"),
        (["1", "1,234"], "line 3, column 'close': '1,234'; thousands or decimals?"),
        (["1,5", "2.5"], "line 3, column 'close': '2.5'; lines before it have the other decimal mark"),
        (["1 23", "2"], "line 2, column 'close': '1 23'; write a positive number"),
        (["1,23,456", "2"], "line 2, column 'close': '1,23,456'; thousands or decimals?"),
        (["2.5", "1,5"], "line 3, column 'close': '1,5'; lines before it have the other decimal mark"),
    ],
)
def test_an_ambiguous_number_is_refused(tmp_path, cells, message):
    path = tmp_path / "AAA.csv"
    path.write_text(f"date;close\n2026-11-19;{cells[0]}\n2026-11-20;{cells[1]}\n")
    with pytest.raises(BadData) as caught:
        read_prices(path)
    assert message in str(caught.value)


def test_two_columns_of_one_name_are_refused(tmp_path):
    for header in ("date,close,Close", "date,close,close", "date,Date,close", "date,adj close,AdjClose"):
        (tmp_path / "AAA.csv").write_text(f"{header}\n2026-11-20,1,1\n")
        with pytest.raises(BadData, match=r"line 1 has 2 columns .*; keep one of them"):
            read_prices(tmp_path / "AAA.csv")


@pytest.mark.parametrize(
    "content", ["date,close\r" + "x" * 200_000, "x" * 200_000, "date,close\n" + "9," * 99_999]
)
def test_a_message_is_short_whatever_the_file_holds(tmp_path, content):
    (tmp_path / "AAA.csv").write_text(content, newline="")
    with pytest.raises(BadData) as caught:
        read_prices(tmp_path / "AAA.csv")
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_an_empty_folder_and_one_that_is_not_there_are_named(tmp_path):
    with pytest.raises(BadData, match="no CSV file in it"):
        CsvSource(tmp_path)
    with pytest.raises(BadConfig, match="INGESTION_CSV_DIR="):
        CsvSource(tmp_path / "none")


def test_one_bad_file_leaves_one_symbol_out_and_what_is_not_read_is_named(tmp_path):
    folder = tmp_path / "prices" / "csv"
    folder.mkdir(parents=True)
    for name in ("AAA.csv", "BBB.CSV", "ccc.csv", "M&M.NS.csv", ".hidden.csv", "TWO.csv", "two.CSV"):
        (folder / name).write_text("date,close\n2026-11-19,1\n")
    for name in ("my prices.csv", "notes.txt"):
        (folder / name).write_text("date,close\n2026-11-19,1\n")
    (folder / "old").mkdir()
    (folder / "GONE.csv").symlink_to(tmp_path / "nowhere")
    (folder / os.fsdecode(b"b\xe9\n.csv")).write_text("date,close\n2026-11-19,1\n")
    (folder / "BAD.csv").write_text("date,close\r2026-11-19,one\r")
    done = run_stage("ingestion", tmp_path, INGESTION_SOURCE="csv")
    assert done.returncode == 0, done.stderr
    got = result("ingestion", tmp_path)
    assert (got["symbols"], got["details"]["left_out"], got["details"]["missing_faulty"]) == (4, 2, 2)
    assert f"BAD is left out: {folder / 'BAD.csv'}: line 2, column 'close': 'one'" in done.stdout
    assert "TWO is left out: " in done.stdout
    assert "TWO.csv and two.CSV are both of TWO; keep one of them" in done.stdout
    unread = "GONE.csv, b\\udce9\\n.csv, my prices.csv, notes.txt, old"
    assert f"not read, rename it to <SYMBOL>.csv, like AAPL.csv: {unread}" in done.stdout
    done = run_stage("ingestion", tmp_path, INGESTION_SOURCE="csv", INGESTION_SYMBOLS="aaa,NONE")
    assert "NONE is left out: " in done.stdout
    assert "NONE.csv: missing; add the file or take NONE out of INGESTION_SYMBOLS" in done.stdout


def test_a_file_of_several_symbols_is_refused_with_the_line(tmp_path):
    path = tmp_path / "AAA.csv"
    path.write_text("Ticker,date,close\nAAA,2026-11-19,1\n aaa ,2026-11-20,2\nBBB,2026-11-21,3\n")
    with pytest.raises(BadData, match=r"AAA.csv: line 4, column 'Ticker': 'BBB' after 'AAA'"):
        read_prices(path)
    path.write_text("Ticker,date,close\nAAA,2026-11-19,1\n,2026-11-20,2\naaa,2026-11-21,3\n")
    assert read_prices(path)["close"].to_list() == [1, 2, 3]
