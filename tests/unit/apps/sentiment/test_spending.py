"""What ratings cost: what was paid for is kept, and a batch spends no more than its budget."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.http_server import Answer
from tests.unit.apps.support.batch_files import KEY, read_sentiment, write_appearances
from tests.unit.apps.support.chat_api import RATED, chat, chat_api
from tests.unit.apps.support.rated_batch import BOTH, analyse, details
from tests.unit.apps.support.stage_process import run_sentiment


def test_what_was_paid_for_is_kept_for_the_next_attempt(tmp_path: Path) -> None:
    on_lists = {name: ["trend", "bargain"] for name in ("AAPL", "KO", "PG", "WMT")}
    write_appearances(tmp_path, on_lists=on_lists)
    down = True

    def says(symbol: str, _: dict) -> Answer:
        return (503, "") if down and symbol != "KO" else chat(RATED, (100, 10))

    with chat_api(says) as (settings, asked):
        settings |= {"OPENAI_ATTEMPTS": "1", "SENTIMENT_IN_FLIGHT": "1"}
        for _ in range(2):
            assert run_sentiment(tmp_path, **settings).returncode == os.EX_UNAVAILABLE
        down = False
        done = run_sentiment(tmp_path, RANKALPHA_RESULT=str(tmp_path / "result.json"), **settings)
        assert done.returncode == 0
        assert asked.count("KO") == 1
        assert {entry["sentiment"] for entry in read_sentiment(tmp_path).values()} == {0.5}
        before = len(asked)
        assert run_sentiment(tmp_path, **settings).returncode == 0
        assert len(asked) == before  # nor does who runs the batch again pay again
        assert run_sentiment(tmp_path, **settings | {"OPENAI_MODEL": "other"}).returncode == 0
        assert len(asked) == before + 4
    spent = details(tmp_path)
    assert (spent["input_tokens"], spent["output_tokens"]) == (400, 40)


def test_what_was_kept_goes_with_its_batch(tmp_path: Path) -> None:
    with chat_api(lambda *_: chat(RATED)) as (settings, _):
        analyse(tmp_path, settings)
        (tmp_path / "prices" / KEY / "appearances.json").unlink()
        (tmp_path / "prices" / KEY).rmdir()
        later = "2026-11-23T06:00:00"
        write_appearances(tmp_path, later, BOTH)
        assert run_sentiment(tmp_path, later, **settings).returncode == 0
    assert [path.name for path in (tmp_path / "company_reports").iterdir()] == [later]


def test_a_damaged_file_of_what_was_paid_for_is_named(tmp_path: Path) -> None:
    with chat_api(lambda *_: chat(RATED)) as (settings, _):
        analyse(tmp_path, settings)
        path = tmp_path / "company_reports" / KEY / "ratings.json"
        path.write_text('{"ratings": {"a": 7}}')
        done = analyse(tmp_path, settings)
    assert done.returncode == os.EX_DATAERR
    assert str(path) in done.stderr
    assert "delete it" in done.stderr


def test_no_more_symbols_are_in_flight_than_the_setting_says(tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0
    full = threading.Barrier(3, timeout=30)

    def says(symbol: str, _: dict) -> Answer:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        if symbol != "AAPL":  # the first is asked alone
            full.wait()  # all three are here, or the test fails
        with lock:
            now -= 1
        return chat(RATED)

    names = ("AAPL", "BAC", "CVX", "GE", "HD", "JNJ", "KO")
    write_appearances(tmp_path, on_lists={name: ["trend", "bargain"] for name in names})
    with chat_api(says) as (settings, asked):
        done = run_sentiment(tmp_path, SENTIMENT_IN_FLIGHT="3", **settings)
    assert done.returncode == 0, done.stderr
    assert (len(asked), most) == (7, 3)


@pytest.mark.parametrize(
    ("budget", "rated"),
    [
        ({"SENTIMENT_BUDGET_TOKENS": "100000"}, 4),
        ({"SENTIMENT_BUDGET_TOKENS": "2500"}, 2),
        ({"SENTIMENT_BUDGET_TOKENS": "100"}, 0),
        ({"SENTIMENT_BUDGET_DOLLARS": "0.0061"}, 2),
        ({"SENTIMENT_BUDGET_DOLLARS": "1"}, 4),
    ],
)
def test_a_batch_spends_no_more_than_its_budget(tmp_path: Path, budget: dict[str, str], rated: int) -> None:
    prices = {"OPENAI_INPUT_PRICE": "2", "OPENAI_OUTPUT_PRICE": "10"}
    write_appearances(tmp_path)
    with chat_api(lambda *_: chat(RATED, (1000, 100))) as (settings, asked):
        settings |= {"RANKALPHA_RESULT": str(tmp_path / "result.json"), "SENTIMENT_IN_FLIGHT": "1"}
        for _ in range(2):  # the second attempt has the same budget, not another one
            done = run_sentiment(tmp_path, **settings, **prices, **budget)
            assert (done.returncode, done.stderr) == (0, "")
    assert len(asked) == rated
    spent = details(tmp_path)
    assert (spent["input_tokens"], spent["output_tokens"]) == (1000 * rated, 100 * rated)
    assert spent["cost_dollars"] == pytest.approx(0.003 * rated)
    assert spent.get("unrated_budget", 0) == 4 - rated
    if rated < 4:
        assert f"{next(iter(budget))}=" in done.stdout


def test_several_in_flight_do_not_share_what_is_left(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    together = threading.Barrier(2)

    def says(symbol: str, _: dict) -> Answer:
        if symbol != "AAPL":  # which is asked alone
            with suppress(threading.BrokenBarrierError):
                together.wait(timeout=2)  # for another one, which must not come
        return chat(RATED, (1000, 100))

    with chat_api(says) as (settings, asked):
        done = run_sentiment(tmp_path, SENTIMENT_BUDGET_TOKENS="2500", **settings)
    assert done.returncode == 0
    assert len(asked) == 2


@pytest.mark.parametrize("reported", [None, (-5, 10), (1.5, 10), (10**30, 10)])
def test_an_api_that_reports_no_tokens_is_bounded_too(tmp_path: Path, reported: tuple | None) -> None:
    write_appearances(tmp_path)
    with chat_api(lambda *_: chat(RATED, reported)) as (settings, asked):
        done = run_sentiment(tmp_path, SENTIMENT_BUDGET_TOKENS="600", SENTIMENT_IN_FLIGHT="1", **settings)
    assert done.returncode == 0
    assert 0 < len(asked) < 4


def test_a_bound_in_dollars_needs_a_price(tmp_path: Path) -> None:
    with chat_api(lambda *_: chat(RATED)) as (settings, _):
        done = analyse(tmp_path, settings, SENTIMENT_BUDGET_DOLLARS="1")
    assert done.returncode == os.EX_CONFIG
    assert "SENTIMENT_BUDGET_DOLLARS=1 needs prices" in done.stderr
