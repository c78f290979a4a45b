"""Ratings from a chat model, against a local HTTP server."""

import json
import os
from pathlib import Path

import pytest

from tests.support.http_server import Answer, local_server
from tests.unit.apps.support.batch_files import read_sentiment, write_appearances
from tests.unit.apps.support.stage_process import run_sentiment

SECRET = "sk-very-secret-0123456789"


def chat(content: object) -> Answer:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


def paid(url: str, **more: str) -> dict[str, str]:
    return {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "test-model", **more}


def everything_below(data: Path) -> str:
    return "".join(path.read_text() for path in data.rglob("*") if path.is_file())


def test_chat_model_rates_the_headlines(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    with local_server(lambda _: chat('{"sentiment": -0.25}')) as (url, received):
        done = run_sentiment(tmp_path, **paid(url))
    assert done.returncode == 0, done.stderr
    entries = read_sentiment(tmp_path)
    assert {(entry["sentiment"], entry["model"]) for entry in entries.values()} == {(-0.25, "test-model")}
    assert len(received) == len(entries)
    assert received[0].target == "/v1/chat/completions"
    assert received[0].headers["authorization"] == f"Bearer {SECRET}"
    asked = json.loads(received[0].body)
    assert asked["model"] == "test-model"
    question = json.loads(asked["messages"][1]["content"])
    assert question["symbol"] == "AAPL"
    assert len(question["headlines"]) == 3
    assert '"model": "test-model"' in done.stdout
    assert SECRET not in done.stdout + done.stderr + everything_below(tmp_path)


def test_a_symbol_without_headlines_costs_nothing(tmp_path: Path) -> None:
    write_appearances(tmp_path, on_lists={"ZZZZ": ["trend", "bargain"]})
    with local_server(lambda _: chat('{"sentiment": 1}')) as (url, received):
        assert run_sentiment(tmp_path, **paid(url)).returncode == 0
    assert received == []
    assert read_sentiment(tmp_path)["ZZZZ"]["sentiment"] is None


@pytest.mark.parametrize(
    "answer",
    [
        chat("The mood is good."),
        chat('{"sentiment": 2}'),
        chat('{"sentiment": "good"}'),
        chat('{"sentiment": true}'),
        chat('{"sentiment": NaN}'),
        chat('{"because": "I say so"}'),
        chat(f'{{"leak": "{SECRET}"}}'),
        chat(None),
        (200, "no json at all"),
        (200, '{"choices": []}'),
    ],
)
def test_a_model_that_only_gives_malformed_answers_is_an_error_that_shows_one(
    tmp_path: Path, answer: Answer
) -> None:
    write_appearances(tmp_path)
    with local_server(lambda _: answer) as (url, _):
        done = run_sentiment(tmp_path, **paid(url))
    assert done.returncode == os.EX_SOFTWARE  # another try may get a proper answer
    assert "test-model gave a malformed answer for AAPL" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert SECRET not in done.stderr
    assert not (tmp_path / "company_reports").exists()


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, 529])
def test_a_passing_failure_is_outlived(tmp_path: Path, status: int) -> None:
    write_appearances(tmp_path, on_lists={"KO": ["trend", "bargain"]})
    answers = iter([(status, "busy", {"Retry-After": "1"}), chat('{"sentiment": 0.5}')])
    with local_server(lambda _: next(answers)) as (url, received):
        done = run_sentiment(tmp_path, **paid(url))
    assert done.returncode == 0, done.stderr
    assert done.slept == [1]  # what Retry-After asked for
    assert len(received) == 2
    assert read_sentiment(tmp_path)["KO"]["sentiment"] == 0.5


@pytest.mark.parametrize("code", [429, "503"])
def test_an_error_that_comes_as_a_good_answer_is_one(tmp_path: Path, code: object) -> None:
    write_appearances(tmp_path, on_lists={"KO": ["trend", "bargain"]})
    error = {"error": {"code": code, "message": "Provider returned error"}, "user_id": "me"}
    answers = iter([(200, error), chat('{"sentiment": 0.5}')])
    with local_server(lambda _: next(answers)) as (url, received):
        assert run_sentiment(tmp_path, **paid(url)).returncode == 0
    assert len(received) == 2
    assert read_sentiment(tmp_path)["KO"]["sentiment"] == 0.5


def test_a_service_that_is_down_ends_the_batch_which_may_be_tried_again_later(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    with local_server(lambda _: (503, f"down {SECRET}")) as (url, received):
        done = run_sentiment(tmp_path, **paid(url, SENTIMENT_IN_FLIGHT="1", OPENAI_ATTEMPTS="2"))
    assert done.returncode == os.EX_UNAVAILABLE
    why = "AAPL is not rated: OPENAI_BASE_URL 127.0.0.1 answered HTTP 503; wait, or check the address"
    assert done.stderr == f"sentiment: {why} (and 2 more of 4 symbols)\n"
    assert len(received) == 3 * 2  # it is not more than half of them before
    assert done.slept == [0.5] * 3


def test_nobody_listening(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    done = run_sentiment(tmp_path, **paid("http://127.0.0.1:1", SENTIMENT_IN_FLIGHT="1"))
    assert done.returncode == os.EX_UNAVAILABLE
    assert "OPENAI_BASE_URL 127.0.0.1 did not answer: ConnectError" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.slept == [0.5, 1, 2] * 3


@pytest.mark.parametrize(
    ("status", "key"), [(401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "OPENAI_MODEL")]
)
def test_a_refusal_is_a_configuration_error_and_not_repeated(tmp_path: Path, status: int, key: str) -> None:
    write_appearances(tmp_path)
    with local_server(lambda _: (status, f"Incorrect API key provided: {SECRET}")) as (url, received):
        done = run_sentiment(tmp_path, **paid(url))
    assert done.returncode == os.EX_CONFIG
    assert key in done.stderr
    assert SECRET not in done.stderr
    assert len(received) == 1


@pytest.mark.parametrize("suffix", ["\nX-Evil: 1", " two", "é", "\x7f"])
def test_a_key_that_is_no_header_is_refused_without_showing_it(tmp_path: Path, suffix: str) -> None:
    write_appearances(tmp_path)
    done = run_sentiment(tmp_path, **paid("http://127.0.0.1:1", OPENAI_API_KEY=SECRET + suffix))
    assert done.returncode == os.EX_CONFIG
    assert "OPENAI_API_KEY" in done.stderr
    assert SECRET not in done.stdout + done.stderr
