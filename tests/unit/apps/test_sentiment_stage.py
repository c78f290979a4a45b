"""The sentiment stage as the orchestrator runs it: a subprocess with the container contract's environment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from service_helpers import (
    KEY,
    ON_LISTS,
    ROOT,
    environment,
    read_sentiment,
    run_sentiment,
    wait_until,
    write_appearances,
    write_prices,
)

SAMPLE_SYMBOLS = "AAPL AMD BAC BBY CVX GE HD JNJ JPM KO LLY MRK MSFT PEP PFE PG RRC UNH WMT XOM".split()


def test_batch_follows_the_contract(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    result_path = tmp_path / "result.json"
    done = run_sentiment(tmp_path, RANKALPHA_RESULT=str(result_path))
    assert done.returncode == 0, done.stderr
    entries = read_sentiment(tmp_path)
    assert list(entries) == ["AAPL", "MSFT", "JPM", "KO"]  # PFE is on one list only
    assert entries["AAPL"] | {"sentiment": None} == {
        "symbol": "AAPL", "sentiment": None, "headlines": 3, "model": "vader", "analysed": "2026-11-22",
        "appearances": 3, "styles": 2, "reused": False,
    }  # fmt: skip
    assert all(-1 <= entry["sentiment"] <= 1 for entry in entries.values())
    assert entries["MSFT"]["sentiment"] > 0.2
    result = json.loads(result_path.read_text())
    assert (result["rows"], result["symbols"], result["as_of"]) == (4, 4, "2026-11-20")
    assert result["details"] == {"analysed": 4, "reused": 0, "without_headlines": 0, "model": "vader"}
    assert result["outputs"][0] == f"company_reports/{KEY}/sentiment.json"
    last_run = json.loads((tmp_path / "analysis_schedule" / "last_run.json").read_text())
    assert last_run["KO"] == {"analysed": "2026-11-22", "batch": KEY}


def test_repeating_a_batch_gives_the_same_bytes(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    files = [tmp_path / f"company_reports/{KEY}/sentiment.json", tmp_path / "analysis_schedule/last_run.json"]
    assert run_sentiment(tmp_path).returncode == 0
    first = [path.read_bytes() for path in files]
    assert run_sentiment(tmp_path).returncode == 0
    assert [path.read_bytes() for path in files] == first


@pytest.mark.parametrize(
    ("settings", "symbols"),
    [
        ({"SENTIMENT_CONSENSUS_MIN_APPEARANCES": "3"}, ["AAPL", "MSFT"]),
        ({"SENTIMENT_CONSENSUS_MIN_APPEARANCES": "1"}, ["AAPL", "MSFT", "JPM", "KO", "PFE"]),
        ({"SENTIMENT_CONSENSUS_MIN_STYLES": "2"}, ["AAPL", "MSFT", "JPM"]),
        ({"SENTIMENT_CONSENSUS_LIMIT": "1"}, ["AAPL"]),
        ({"SENTIMENT_CONSENSUS_MIN_APPEARANCES": "9"}, []),
        ({"SENTIMENT_CONSENSUS_LIMIT": "", "SENTIMENT_USE_CONSENSUS": "TRUE"}, ["AAPL", "MSFT", "JPM", "KO"]),
    ],
)
def test_consensus_flags(tmp_path: Path, settings: dict[str, str], symbols: list[str]) -> None:
    write_appearances(tmp_path)
    done = run_sentiment(tmp_path, **settings)
    assert done.returncode == 0, done.stderr
    assert list(read_sentiment(tmp_path)) == symbols


def test_an_appearance_counts_once_per_screener(tmp_path: Path) -> None:
    write_appearances(tmp_path, on_lists={"KO": ["trend", "trend"], "PG": ["trend", "bargain"]})
    assert run_sentiment(tmp_path).returncode == 0
    assert list(read_sentiment(tmp_path)) == ["PG"]


def test_without_consensus_all_symbols_of_the_prices(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    write_prices(tmp_path, ["ZZZZ", "KO", "AAPL"])
    done = run_sentiment(tmp_path, SENTIMENT_USE_CONSENSUS="false")
    assert done.returncode == 0, done.stderr
    entries = read_sentiment(tmp_path)
    assert list(entries) == ["AAPL", "KO", "ZZZZ"]
    assert (entries["ZZZZ"]["sentiment"], entries["ZZZZ"]["headlines"]) == (None, 0)
    assert (entries["ZZZZ"]["appearances"], entries["KO"]["appearances"]) == (0, 2)
    assert '"without_headlines": 1' in done.stdout


def test_its_own_data_dir_wins(tmp_path: Path) -> None:
    write_appearances(tmp_path / "own")
    done = run_sentiment(tmp_path / "other", SENTIMENT_DATA_DIR=str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    assert list(read_sentiment(tmp_path / "own"))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SENTIMENT_USE_CONSENSUS", "yes"),
        ("SENTIMENT_CONSENSUS_BATCH_ONLY", "1"),
        ("SENTIMENT_CONSENSUS_MIN_APPEARANCES", "0"),
        ("SENTIMENT_CONSENSUS_MIN_STYLES", "two"),
        ("SENTIMENT_CONSENSUS_LIMIT", "-1"),
        ("SENTIMENT_SKIP_IF_WITHIN_DAYS", "1.5"),
        ("SENTIMENT_INTERVAL_SECONDS", "0"),
        ("SENTIMENT_HEADLINES", "twitter"),
        ("SENTIMENT_RSS_URL", "https://example.org/feed"),
        ("SENTIMENT_RSS_URL", "ftp://example.org/{symbol}"),
    ],
)
def test_malformed_setting_is_named(tmp_path: Path, key: str, value: str) -> None:
    write_appearances(tmp_path)
    done = run_sentiment(tmp_path, **{key: value})
    assert done.returncode == os.EX_CONFIG
    assert f"{key}={value!r}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "company_reports").exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "is missing"),
        ("", "Invalid JSON"),
        ("[]", "appearances.json"),
        ('{"as_of": "yesterday", "appearances": []}', "as_of"),
        ('{"as_of": "2026-11-20", "appearances": [{"symbol": "", "screener": "a", "style": "b"}]}', "0.symbol"),
        ('{"as_of": "2026-11-20", "appearances": [{"symbol": "KO", "screener": "a"}]}', "0.style"),
    ],
)
def test_bad_appearances_are_named(tmp_path: Path, content: str | None, named: str) -> None:
    path = write_appearances(tmp_path)
    path.unlink() if content is None else path.write_text(content)
    done = run_sentiment(tmp_path)
    assert done.returncode == os.EX_DATAERR
    assert str(path) in done.stderr
    assert named in done.stderr
    assert "ingestion stage" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no parquet"])
def test_bad_prices_are_named(tmp_path: Path, content: bytes | None) -> None:
    write_appearances(tmp_path)
    path = write_prices(tmp_path, ["KO"])
    path.unlink() if content is None else path.write_bytes(content)
    done = run_sentiment(tmp_path, SENTIMENT_USE_CONSENSUS="false")
    assert done.returncode == os.EX_DATAERR
    assert str(path) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_sample_covers_every_sample_symbol_and_says_what_it_is() -> None:
    sample = json.loads((ROOT / "apps/sentiment/sample/headlines.json").read_text())
    assert sorted(sample["headlines"]) == SAMPLE_SYMBOLS
    assert all(len(lines) >= 3 for lines in sample["headlines"].values())
    assert "Invented" in sample["notice"]


def test_uv_run_uses_the_environment_at_hand_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_appearances(tmp_path / "data")
    (tmp_path / "home").mkdir()
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("uv is not installed")
    before = set(ROOT.glob("*")) | set((ROOT / "apps/sentiment").glob("*"))
    settings = {
        "HOME": str(tmp_path / "home"), "RANKALPHA_BATCH": KEY, "RANKALPHA_DATA_DIR": str(tmp_path / "data"),
        "UV_NO_PROJECT": "1", "UV_PYTHON": sys.executable, "UV_NO_CACHE": "1", "UV_OFFLINE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [uv, "run", "main.py"],
        cwd=ROOT / "apps/sentiment",
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(read_sentiment(tmp_path / "data"))
    assert not list((tmp_path / "home").iterdir())
    assert set(ROOT.glob("*")) | set((ROOT / "apps/sentiment").glob("*")) == before


def test_service_mode_repeats_the_newest_batch_until_sigterm(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    (tmp_path / "prices" / "leftover").mkdir()
    settings = {"SENTIMENT_CONSENSUS_BATCH_ONLY": "false", "SENTIMENT_INTERVAL_SECONDS": "1"}
    process = subprocess.Popen(
        [sys.executable, "apps/sentiment/main.py"],
        cwd=ROOT,
        env=environment(RANKALPHA_DATA_DIR=str(tmp_path), **settings),
        stdout=(tmp_path / "log").open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until(lambda: (tmp_path / "company_reports" / KEY / "sentiment.json").exists(), "first round")
        newer = "2026-11-23T06:00:00"
        write_appearances(tmp_path, newer).write_text("half a fi")
        wait_until(lambda: "Invalid JSON" in (tmp_path / "log").read_text(), "a failed round")
        write_appearances(tmp_path, newer, {"KO": ON_LISTS["KO"]})
        wait_until(lambda: (tmp_path / "company_reports" / newer).exists(), "the round after the failed one")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - started < 5
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()
