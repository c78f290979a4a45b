"""What chat models and their APIs answer, read or refused; each by a local API."""

import os
from pathlib import Path

import pytest

from tests.support.http_server import Answer
from tests.unit.apps.support.batch_files import read_sentiment
from tests.unit.apps.support.chat_api import RATED, SECRET, chat, chat_api, refusal
from tests.unit.apps.support.rated_batch import analyse, details


@pytest.mark.parametrize(
    "content",
    [
        RATED,
        f"```json\n{RATED}\n```",
        f"```\n{RATED}```",
        f"Here is my rating:\n{RATED}\nI hope that helps {{really}}!",
        f'<think>Perhaps {{"sentiment": -1}}? No.</think>\n{RATED}',
        f'Perhaps {{"sentiment": -1}}? No.</think>{RATED}',
        f'First {{"sentiment": -0.9}}, on reflection {RATED}',
        f'{{"result": {RATED}}}',
        f'{{"symbol": "KO", "rating": {{"of": "KO", "value": {RATED}}}}}',
        '{"sentiment": "0.5", "because": "I say so"}',
        '{"Sentiment": " +.5 "}',
        f'[KO] {{"results": [{RATED}]}}',
        '{"sentiment": 0.5, "headlines": [{"sentiment": -0.9}, {"sentiment": 0.1}]}',
        f'<|channel|>analysis {{"sentiment": -1}}<|channel|>final {RATED}',
        [{"type": "text", "text": RATED}],
        '\ufeff{\n  "sentiment":5e-1}',
    ],
)
def test_a_rating_is_read_whatever_stands_around_it(tmp_path: Path, content: object) -> None:
    with chat_api(lambda *_: chat(content)) as (settings, _):
        assert analyse(tmp_path, settings).returncode == 0
    assert {entry["sentiment"] for entry in read_sentiment(tmp_path).values()} == {0.5}


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (chat('<think>Perhaps {"sentiment": 0.9}, but'), "<think>Perhaps"),
        (chat('{"sentiment": 1.5}'), '{"sentiment": 1.5}'),
        (chat('{"sentiment": 0.5'), '{"sentiment": 0.5'),
        (chat('{"sentiment": NaN}'), "NaN"),
        (chat('{"sentiment": "very good"}'), "very good"),
        (chat('[{"sentiment": 0.9}, {"sentiment": -0.9}]'), "-0.9"),  # of headlines, not of the symbol
        (chat("[" * 700 + "]" * 700), "[["),
        (chat('{"sentiment": ' + "9" * 5000 + "}"), "999"),
        (chat("[" * 5000), "[["),
        (chat('{"a":' * 5000), '{"a":'),
        (chat("[" * 100_000), "[["),
        (chat('{"sentiment": 0.5}' + "[" * 300), '{"sentiment": 0.5}'),  # what comes last cannot be read
        (chat(""), "''"),
        (chat(None), "choices"),
        ((200, "<html>Welcome to our proxy"), "<html>Welcome"),
        ((200, ""), "''"),
        ((204, ""), "''"),
        ((200, '{"choices": [null]}'), "choices"),
        ((200, '{"choices": {"message": 1}}'), "choices"),
        ((200, b"\xff\xfe"), "is not"),
    ],
)
def test_a_symbol_whose_answer_is_malformed_is_unrated(tmp_path: Path, answer: Answer, shown: str) -> None:
    with chat_api(lambda symbol, _: answer if symbol == "KO" else chat(RATED)) as (settings, asked):
        done = analyse(tmp_path, settings)
    assert (done.returncode, done.stderr) == (0, "")
    entries = read_sentiment(tmp_path)
    assert (entries["PG"]["sentiment"], entries["KO"]["sentiment"]) == (0.5, None)
    assert (details(tmp_path)["unrated"], details(tmp_path)["unrated_model_malformed"]) == (1, 1)
    (line,) = [line for line in done.stdout.splitlines() if "warning" in line]
    assert "malformed answer for KO" in line
    assert shown in line
    assert len(line) < 300
    assert asked == ["KO", "KO", "PG"]  # a second answer may be better


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (refusal(400, code="content_filter"), "HTTP 400 content_filter"),
        (refusal(400, code="context_length_exceeded", param="messages"), "HTTP 400 context_length_exceeded"),
        (refusal(400, code="data_inspection_failed"), "HTTP 400 data_inspection_failed"),
        (refusal(403, code="flagged_by_moderation"), "HTTP 403 flagged_by_moderation"),
        (refusal(400, type="invalid_prompt"), "HTTP 400 invalid_prompt"),
        (refusal(422), "HTTP 422"),
        (chat("", finish_reason="content_filter"), "content_filter"),
        (chat(None, message={"refusal": "I cannot rate this."}), "refusal"),
    ],
)
@pytest.mark.parametrize("refused", ["KO", "PG"])
def test_a_symbol_that_is_refused_is_unrated_and_the_code_named(
    tmp_path: Path, refused: str, answer: Answer, named: str
) -> None:
    with chat_api(lambda symbol, _: answer if symbol == refused else chat(RATED)) as (settings, _):
        done = analyse(tmp_path, settings)
    assert (done.returncode, done.stderr) == (0, "")
    entry = read_sentiment(tmp_path)[refused]
    assert (entry["sentiment"], entry["unrated"]) == (None, "model_refused")
    assert details(tmp_path)["unrated_model_refused"] == 1
    (line,) = [line for line in done.stdout.splitlines() if "warning" in line]
    assert f"{refused} is not rated" in line
    assert named in line


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal(401, code="invalid_api_key"), "OPENAI_API_KEY was refused"),
        (refusal(402, code="insufficient_credit"), "check the key and its credit"),
        (refusal(403), "OPENAI_API_KEY was refused"),
        (refusal(404, code="model_not_found"), "OPENAI_MODEL='test-model'"),
        (refusal(405), "OPENAI_BASE_URL="),
        ((301, "", {"location": "https://elsewhere.example/"}), "OPENAI_BASE_URL="),
        (refusal(400, code="invalid_model"), "OPENAI_MODEL='test-model'"),
    ],
)
def test_a_wrong_key_address_or_model_is_a_configuration_error(
    tmp_path: Path, answer: Answer, says: str
) -> None:
    with chat_api(lambda *_: answer) as (settings, _):
        done = analyse(tmp_path, settings)
    assert done.returncode == os.EX_CONFIG
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "company_reports").exists()


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    with chat_api(lambda *_: chat(RATED)) as (settings, _):
        done = analyse(tmp_path, settings | {"OPENAI_BASE_URL": "http://[bad"})
    assert done.returncode == os.EX_CONFIG
    assert "OPENAI_BASE_URL" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_password_in_the_address_is_not_shown(tmp_path: Path) -> None:
    with chat_api(lambda *_: refusal(404)) as (settings, _):
        address = settings["OPENAI_BASE_URL"].replace("//", f"//me:{SECRET}@")
        done = analyse(tmp_path, settings | {"OPENAI_BASE_URL": address})
    assert done.returncode == os.EX_CONFIG
    assert settings["OPENAI_BASE_URL"] in done.stderr


def test_one_symbol_without_an_answer_is_unrated(tmp_path: Path) -> None:
    busy = refusal(429, code="insufficient_quota")
    with chat_api(lambda symbol, _: busy if symbol == "KO" else chat(RATED)) as (settings, asked):
        done = analyse(tmp_path, settings, OPENAI_ATTEMPTS="2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "HTTP 429 insufficient_quota" in done.stdout
    assert read_sentiment(tmp_path)["KO"]["unrated"] == "model_unavailable"
    assert asked == ["KO", "KO", "PG"]


def form(question: dict) -> tuple[str | None, bool]:
    """Return the form of the answer that a question asks for, and whether it has a temperature."""
    return question.get("response_format", {}).get("type"), "temperature" in question


@pytest.mark.parametrize(
    ("takes", "error", "forms"),
    [
        (
            lambda kind, _: kind != "json_schema",
            {
                "param": "response_format",
                "message": "Invalid parameter: 'response_format' of type 'json_schema'",
            },
            [("json_schema", True), ("json_object", True), ("json_object", True)],
        ),
        (
            lambda kind, _: kind is None,
            {"message": "extra_forbidden: response_format"},
            [("json_schema", True), ("json_object", True), (None, True), (None, True)],
        ),
        (
            lambda _, temperature: not temperature,
            {"code": "unsupported_value", "message": "Unsupported value: 'temperature' does not support 0"},
            [("json_schema", True), ("json_schema", False), ("json_schema", False)],
        ),
        (
            lambda kind, temperature: kind is None and not temperature,
            {"message": "neither response_format nor temperature, please"},
            [
                ("json_schema", True),
                ("json_schema", False),
                ("json_object", False),
                (None, False),
                (None, False),
            ],
        ),
        (
            lambda kind, _: kind is None,
            {"message": "Bad Request"},
            [("json_schema", True), ("json_object", True), (None, True), (None, True)],
        ),
    ],
)
def test_structured_output_is_asked_for_where_the_api_has_it(tmp_path: Path, takes, error, forms) -> None:
    seen = []

    def says(_: str, question: dict) -> Answer:
        seen.append(form(question))
        return chat(RATED) if takes(*seen[-1]) else refusal(400, **error)

    with chat_api(says) as (settings, _):
        assert analyse(tmp_path, settings).returncode == 0
    assert seen == forms  # what was learnt of the first symbol holds for the second
