"""The sentiment stage as the orchestrator runs it: a subprocess with the container contract's environment."""

import json
from pathlib import Path
from statistics import fmean

import pytest

from apps.sentiment.headlines import SAMPLE
from tests.unit.apps.support.batch_files import KEY, ROOT, read_sentiment, write_appearances, write_prices
from tests.unit.apps.support.stage_process import run_sentiment

SAMPLE_SYMBOLS = [
    "AAPL",
    "AMD",
    "BAC",
    "BBY",
    "CVX",
    "GE",
    "HD",
    "JNJ",
    "JPM",
    "KO",
    "LLY",
    "MRK",
    "MSFT",
    "PEP",
    "PFE",
    "PG",
    "RRC",
    "UNH",
    "WMT",
    "XOM",
]


def test_batch_follows_the_contract(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    result_path = tmp_path / "result.json"
    done = run_sentiment(tmp_path, RANKALPHA_RESULT=str(result_path))
    assert done.returncode == 0, done.stderr
    entries = read_sentiment(tmp_path)
    assert list(entries) == ["AAPL", "MSFT", "WMT", "KO"]  # PFE is on one list only
    titles = entries["AAPL"].pop("titles")
    assert [title["title"] for title in titles] == json.loads(SAMPLE.read_text())["headlines"]["AAPL"]
    rating = fmean(title["sentiment"] for title in titles)
    assert rating == pytest.approx(entries["AAPL"]["sentiment"], abs=1e-4)
    assert entries["AAPL"] | {"sentiment": None} == {
        "symbol": "AAPL", "sentiment": None, "headlines": 3, "model": "vader", "analysed": "2026-11-22",
        "appearances": 3, "styles": 2, "reused": False,
    }  # fmt: skip
    assert all(-1 <= entry["sentiment"] <= 1 for entry in entries.values())
    assert entries["MSFT"]["sentiment"] > 0.2
    result = json.loads(result_path.read_text())
    assert (result["rows"], result["symbols"], result["as_of"]) == (4, 4, "2026-11-20")
    counts = {"analysed": 4, "reused": 0, "without_headlines": 0, "model": "vader", "pruned": 0}
    ratings = [entry["sentiment"] for entry in entries.values()]
    assert result["details"] == {
        **counts,
        "min_sentiment": min(ratings),
        "max_sentiment": max(ratings),
    }
    assert result["outputs"] == [f"company_reports/{KEY}/sentiment.json"]


def test_repeating_a_batch_gives_the_same_bytes(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    path = tmp_path / f"company_reports/{KEY}/sentiment.json"
    assert run_sentiment(tmp_path).returncode == 0
    first = path.read_bytes()
    assert run_sentiment(tmp_path).returncode == 0
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("settings", "symbols"),
    [
        ({"SENTIMENT_CONSENSUS_MIN_APPEARANCES": "3"}, ["AAPL", "MSFT"]),
        ({"SENTIMENT_CONSENSUS_MIN_APPEARANCES": "1"}, ["AAPL", "MSFT", "WMT", "KO", "PFE"]),
        ({"SENTIMENT_CONSENSUS_MIN_STYLES": "2"}, ["AAPL", "MSFT", "WMT"]),
        ({"SENTIMENT_CONSENSUS_LIMIT": "1"}, ["AAPL"]),
        ({"SENTIMENT_CONSENSUS_MIN_APPEARANCES": "9"}, []),
        ({"SENTIMENT_CONSENSUS_LIMIT": "", "SENTIMENT_USE_CONSENSUS": "TRUE"}, ["AAPL", "MSFT", "WMT", "KO"]),
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
    assert "ZZZZ has no headlines: the sample has none about it; set SENTIMENT_HEADLINES" in done.stdout


def test_without_headlines_by_setting_no_symbol_lacks_any(tmp_path: Path) -> None:
    write_appearances(tmp_path, on_lists={"OWN": ["trend", "bargain"]})
    done = run_sentiment(tmp_path, SENTIMENT_HEADLINES="none", OPENAI_API_KEY="sk-not-asked")
    assert (done.returncode, done.stderr) == (0, "")
    entry = read_sentiment(tmp_path)["OWN"]
    assert (entry["sentiment"], entry["headlines"], entry["model"]) == (None, 0, "none")
    assert '"without_headlines": 0' in done.stdout


def test_its_own_data_dir_wins(tmp_path: Path) -> None:
    write_appearances(tmp_path / "own")
    done = run_sentiment(tmp_path / "other", SENTIMENT_DATA_DIR=str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    assert list(read_sentiment(tmp_path / "own"))
    assert not (tmp_path / "other").exists()


def test_the_sample_covers_every_sample_symbol_and_says_what_it_is() -> None:
    sample = json.loads((ROOT / "apps/sentiment/sample/headlines.json").read_text())
    assert sorted(sample["headlines"]) == SAMPLE_SYMBOLS
    assert all(len(lines) >= 3 for lines in sample["headlines"].values())
    assert "Invented" in sample["notice"]
