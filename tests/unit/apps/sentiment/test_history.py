"""Skip-within-days: an analysis is carried, for how long, and what repeating a batch does."""

import json
from pathlib import Path

import pytest

from tests.support.http_server import local_server
from tests.unit.apps.support.batch_files import read_sentiment, write_appearances
from tests.unit.apps.support.stage_process import run_sentiment

FIRST = "2026-11-20T06:00:00"
SAME_DAY = "2026-11-20T18:00:00"
NEXT_DAY = "2026-11-21T06:00:00"
THIRD_DAY = "2026-11-22T06:00:00"
WITHIN_TWO = {"SENTIMENT_SKIP_IF_WITHIN_DAYS": "2"}


def analyse(data: Path, key: str, **settings: str) -> dict[str, dict[str, object]]:
    write_appearances(data, key)
    done = run_sentiment(data, key, **settings)
    assert done.returncode == 0, done.stderr
    return read_sentiment(data, key)


def reused(entries: dict[str, dict[str, object]]) -> set[str]:
    return {symbol for symbol, entry in entries.items() if entry["reused"]}


def test_nothing_is_carried_by_default(tmp_path: Path) -> None:
    analyse(tmp_path, FIRST)
    assert reused(analyse(tmp_path, SAME_DAY)) == set()


@pytest.mark.parametrize(
    ("key", "days", "carried"),
    [(SAME_DAY, "1", True), (NEXT_DAY, "1", False), (NEXT_DAY, "2", True), (THIRD_DAY, "2", False)],
)
def test_age_is_counted_in_days_of_the_batches(tmp_path: Path, key: str, days: str, carried: bool) -> None:
    first = analyse(tmp_path, FIRST)
    later = analyse(tmp_path, key, SENTIMENT_SKIP_IF_WITHIN_DAYS=days)
    assert reused(later) == (set(first) if carried else set())
    assert later["KO"]["analysed"] == ("2026-11-20" if carried else key[:10])


def test_carrying_does_not_prolong_an_analysis(tmp_path: Path) -> None:
    analyse(tmp_path, FIRST, **WITHIN_TWO)
    assert reused(analyse(tmp_path, NEXT_DAY, **WITHIN_TWO))
    assert not reused(analyse(tmp_path, THIRD_DAY, **WITHIN_TWO))


def test_a_carried_entry_keeps_its_rating_and_takes_the_new_counts(tmp_path: Path) -> None:
    first = analyse(tmp_path, FIRST)
    write_appearances(tmp_path, NEXT_DAY, {"KO": ["trend", "bargain", "profit"]})
    assert run_sentiment(tmp_path, NEXT_DAY, **WITHIN_TWO).returncode == 0
    later = read_sentiment(tmp_path, NEXT_DAY)["KO"]
    assert later == first["KO"] | {"reused": True, "appearances": 3, "styles": 3}


def test_only_the_symbols_not_carried_are_bought(tmp_path: Path) -> None:
    answer = json.dumps({"choices": [{"message": {"content": '{"sentiment": 0.5}'}}]})
    write_appearances(tmp_path, FIRST, {"KO": ["trend", "breakout"]})
    assert run_sentiment(tmp_path, FIRST).returncode == 0
    with local_server(lambda _: (200, answer)) as (url, received):
        paid = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": url}
        later = analyse(tmp_path, NEXT_DAY, **paid, **WITHIN_TWO)
    assert reused(later) == {"KO"}
    assert len(received) == len(later) - 1


def test_repeating_the_batch_that_analysed_is_no_reuse(tmp_path: Path) -> None:
    first = analyse(tmp_path, FIRST, **WITHIN_TWO)
    assert analyse(tmp_path, FIRST, **WITHIN_TWO) == first


def test_repeating_a_batch_that_carried_carries_again(tmp_path: Path) -> None:
    analyse(tmp_path, FIRST)
    carried = analyse(tmp_path, NEXT_DAY, **WITHIN_TWO)
    analyse(tmp_path, THIRD_DAY)
    assert reused(carried)
    assert analyse(tmp_path, NEXT_DAY, **WITHIN_TWO) == carried


def test_a_later_batch_is_never_carried_back(tmp_path: Path) -> None:
    analyse(tmp_path, NEXT_DAY)
    assert not reused(analyse(tmp_path, FIRST, SENTIMENT_SKIP_IF_WITHIN_DAYS="9"))


def test_a_symbol_without_headlines_is_asked_again(tmp_path: Path) -> None:
    write_appearances(tmp_path, FIRST, {"ZZZZ": ["trend", "bargain"]})
    assert run_sentiment(tmp_path, FIRST).returncode == 0
    assert read_sentiment(tmp_path, FIRST)["ZZZZ"]["sentiment"] is None
    write_appearances(tmp_path, NEXT_DAY, {"ZZZZ": ["trend", "bargain"]})
    assert run_sentiment(tmp_path, NEXT_DAY, **WITHIN_TWO).returncode == 0
    assert not read_sentiment(tmp_path, NEXT_DAY)["ZZZZ"]["reused"]


def test_a_cleaned_up_batch_is_analysed_anew(tmp_path: Path) -> None:
    analyse(tmp_path, FIRST)
    (tmp_path / "company_reports" / FIRST / "sentiment.json").unlink()
    assert not reused(analyse(tmp_path, NEXT_DAY, **WITHIN_TWO))


@pytest.mark.parametrize("content", ["{", '{"as_of": "2026-11-20", "symbols": [{"symbol": "KO"}]}'])
def test_nothing_is_carried_from_a_damaged_report(tmp_path: Path, content: str) -> None:
    analyse(tmp_path, FIRST)
    path = tmp_path / "company_reports" / FIRST / "sentiment.json"
    path.write_text(content)
    write_appearances(tmp_path, NEXT_DAY)
    done = run_sentiment(tmp_path, NEXT_DAY, **WITHIN_TWO)
    assert done.returncode == 0, done.stderr
    assert f"warning: nothing is carried from {path}" in done.stdout
    assert not reused(read_sentiment(tmp_path, NEXT_DAY))
