"""What the sentiment stage refuses: malformed settings and damaged input, each named in one line."""

import os
import re
from pathlib import Path

import pytest

from datasets.sentiment import REASONS
from tests.unit.apps.support.batch_files import ROOT, write_appearances, write_prices
from tests.unit.apps.support.stage_process import run_sentiment


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
        ("SENTIMENT_RSS_URL", "http://[bad/{symbol}"),
        ("SENTIMENT_RSS_URL", "http://example.org:port/{symbol}"),
        ("SENTIMENT_HEADLINES_MAX_AGE_DAYS", "0"),
        ("SENTIMENT_HEADLINES_MAX_AGE_DAYS", "9" * 5000),
        ("SENTIMENT_IN_FLIGHT", "0"),
        ("SENTIMENT_TIMEOUT_SECONDS", "-1"),
        ("SENTIMENT_ATTEMPTS", "0"),
    ],
)
def test_malformed_setting_is_named(tmp_path: Path, key: str, value: str) -> None:
    write_appearances(tmp_path)
    done = run_sentiment(tmp_path, **{key: value})
    assert done.returncode == os.EX_CONFIG
    assert f"{key}={value!r}"[:100] in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "company_reports").exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "is missing"),
        ("", "Invalid JSON"),
        ("[]", "appearances.json"),
        ('{"as_of": "yesterday", "appearances": []}', "as_of"),
        (
            '{"as_of": "2026-11-20", "appearances": [{"symbol": "", "screener": "a", "style": "b"}]}',
            "0.symbol",
        ),
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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OPENAI_BASE_URL", "http://[bad"),
        ("SENTIMENT_BUDGET_TOKENS", "many"),
        ("SENTIMENT_BUDGET_DOLLARS", "nan"),
        ("SENTIMENT_BUDGET_DOLLARS", "-1"),
        ("OPENAI_INPUT_PRICE", "free"),
        ("OPENAI_OUTPUT_PRICE", "inf"),
        ("OPENAI_TIMEOUT_SECONDS", "soon"),
    ],
)
def test_malformed_setting_of_the_chat_model_is_named(tmp_path: Path, key: str, value: str) -> None:
    write_appearances(tmp_path)
    done = run_sentiment(tmp_path, OPENAI_API_KEY="sk-1", **{key: value})
    assert done.returncode == os.EX_CONFIG
    assert f"{key}={value!r}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_each_reason_that_the_stage_counts_is_a_detail_of_the_contract() -> None:
    code = "".join(path.read_text() for path in (ROOT / "apps" / "sentiment").glob("*.py"))
    reasons = set(re.findall(r'(?:Unrated|Absent)\(\s*"(\w+)"', code))
    assert reasons == set(REASONS)
