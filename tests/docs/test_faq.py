"""The answers are short, and the figures in them are those of the code and of the benchmark."""

import json
import re

import pytest

from apps.ingestion.settings import Settings as IngestionSettings
from bench import overhead
from bench.report import LATEST
from rankalpha.settings import Settings

QUESTION = re.compile(r"(?m)^### (.+)$")
LINES = 5  # of an answer


@pytest.fixture(scope="module")
def answers(root):
    """The answers by their questions."""
    _, *parts = QUESTION.split((root / "docs/faq.md").read_text())
    return {
        question: text.split("\n## ")[0].strip()
        for question, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_each_question_has_a_short_answer(answers):
    assert len(answers) > 15
    for question, answer in answers.items():
        assert question.endswith("?"), question
        assert 0 < len(answer.splitlines()) <= LINES, question


def test_what_orchestration_adds_is_that_of_the_last_benchmark(answers):
    parts = json.loads(LATEST.read_text())
    median = {figure["name"]: figure["median"] for part in parts.values() for figure in part["figures"]}
    ours, classic = (median[f"over the floor, {stack}"] for stack in (overhead.OURS, overhead.CLASSIC))
    answer = " ".join(answers["Why not one DAG?"].split())
    assert f"{ours:.1f} s more than its containers" in answer
    assert f"one DAG of stock Airflow {classic:.1f} s" in answer


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How long are they kept?", f"newest {IngestionSettings().keep_batches} batches"),
        ("How long are they kept?", f"logs {Settings().keep_log_days} days"),
        ("How long are they kept?", f"history {Settings().keep_metadata_days} days"),
        ("What if the machine was off, or asleep, at 06:00 UTC?", f"{Settings().started_within} minutes"),
    ],
)
def test_defaults_are_those_of_the_settings(answers, question, text):
    assert text in " ".join(answers[question].split())


def test_prices_may_be_as_old_as_the_answer_says(answers):
    assert Settings().max_age_days == 7
    assert Settings().max_sessions_behind == 1
    assert "more than one is blocked" in " ".join(answers["What happens on a weekend or a holiday?"].split())
    assert "up to seven days" in " ".join(answers["What happens on a weekend or a holiday?"].split())
