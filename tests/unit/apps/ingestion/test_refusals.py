"""The ingestion stage refuses: exit status, one line on stderr, nothing written."""

import pytest

from tests.unit.apps.support.stage_process import run_stage


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"INGESTION_SOURCE": "bloomberg"},
            "INGESTION_SOURCE='bloomberg': Input should be 'sample', 'csv' or 'yahoo'",
        ),
        (
            {"INGESTION_SYMBOLS": "AAPL,../etc"},
            "INGESTION_SYMBOLS='AAPL,../etc': '../ETC' is not a symbol; expected a comma list",
        ),
        ({"INGESTION_SYMBOLS": "TSLA"}, "INGESTION_SYMBOLS: no TSLA in the sample, only AAPL"),
        ({"INGESTION_SOURCE": "csv"}, "/prices/csv' is not a folder; expected the folder of the CSV files"),
        ({"INGESTION_OVERLAP": "0"}, "INGESTION_OVERLAP='0': Input should be greater than or equal to 1"),
        ({"INGESTION_JUMP": "1"}, "INGESTION_JUMP='1': Input should be greater than 1"),
        ({"INGESTION_TIMEOUT_SECONDS": "0"}, "INGESTION_TIMEOUT_SECONDS='0': Input should be greater than 0"),
        ({"INGESTION_SOURCE": "yahoo"}, "INGESTION_SYMBOLS is empty"),
        ({"INGESTION_START": "1.2.2020"}, "INGESTION_START='1.2.2020': expected a day such as 2016-01-31"),
        (
            {"INGESTION_KEEP_BATCHES": "-1"},
            "INGESTION_KEEP_BATCHES='-1': Input should be greater than or equal to 0",
        ),
        ({"SCREENER_TOP": "0"}, "SCREENER_TOP='0': Input should be greater than or equal to 1"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, settings, message):
    done = run_stage("ingestion", tmp_path, **settings)
    assert done.returncode == 78
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "prices").exists()


def test_all_bad_settings_are_named_in_one_line(tmp_path):
    bad = {"INGESTION_SOURCE": "bloomberg", "INGESTION_JUMP": "nan", "SCREENER_TOP": "many"}
    done = run_stage("ingestion", tmp_path, **bad)
    assert done.returncode == 78
    assert all(f"{key}={value!r}: " in done.stderr for key, value in bad.items())
    assert done.stderr.count("\n") == 1


def test_blanks_and_empty_variables_do_not_count(tmp_path):
    settings = {"INGESTION_START": "", "INGESTION_OVERLAP": " 10 ", "INGESTION_SOURCE": " sample"}
    assert run_stage("ingestion", tmp_path, **settings).returncode == 0


def test_yahoo_out_of_reach_may_be_tried_again(tmp_path):
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}  # nothing listens there
    done = run_stage("ingestion", tmp_path, INGESTION_SOURCE="yahoo", INGESTION_SYMBOLS="AAPL,MSFT", **proxy)
    assert done.returncode == 69
    assert "Yahoo has no prices for 2 of 2 symbols (AAPL, MSFT); try again later" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "prices").exists()


def test_bad_csv_is_bad_data_and_leaves_the_earlier_files_alone(tmp_path):
    folder = tmp_path / "csv"
    folder.mkdir()
    csv = {"INGESTION_SOURCE": "csv", "INGESTION_CSV_DIR": str(folder)}
    (folder / "AAA.csv").write_text("date,close\n2026-11-19,1\n")
    assert run_stage("ingestion", tmp_path, **csv).returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "prices").rglob("*.*")}
    (folder / "AAA.csv").write_text("date,close\n2026-11-19,1\n2026-11-20,one\n")
    done = run_stage("ingestion", tmp_path, **csv)
    assert done.returncode == 65
    message = f"{folder / 'AAA.csv'}: line 3, column 'close': 'one'; write a positive number"
    assert done.stderr == f"ingestion: {message}\n"
    assert {path: path.read_bytes() for path in (tmp_path / "prices").rglob("*.*")} == before
