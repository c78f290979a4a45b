"""Faulty CSV files: the message names the file, the line and column, and the fix."""

import pytest

from apps.common.stage import BadConfig, BadData
from apps.ingestion.sources.csv_files import CsvSource, read_prices


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not readable"),
        ("date,close\n", "no rows below line 1"),
        ("day,close\n2026-11-20,1\n", "no column 'date' in line 1 (day, close)"),
        ("date;close\n2026-11-20;1\n", "no column 'date' in line 1 (date;close)"),
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
            "line 3, column 'date': '2026-11-20'; this date is there",
        ),
        ("date,close\n2026-11-20,1,2,3\n", "not readable"),
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


def test_a_missing_file_an_empty_folder_and_a_file_of_no_symbol_are_named(tmp_path):
    with pytest.raises(
        BadData, match=r"BBB\.csv: missing; add the file or take BBB out of INGESTION_SYMBOLS"
    ):
        CsvSource(tmp_path, ["BBB"]).fetch(["BBB"], {})
    with pytest.raises(BadData, match="no CSV file in it"):
        CsvSource(tmp_path)
    (tmp_path / "my prices.csv").write_text("date,close\n2026-11-20,1\n")
    with pytest.raises(BadData, match="'my prices' is no symbol; rename it"):
        CsvSource(tmp_path)
    with pytest.raises(BadConfig, match="INGESTION_CSV_DIR="):
        CsvSource(tmp_path / "none")
