"""A stage's secret reaches the stage and nothing else: not even when the stage prints it and fails.

What is served of a run is listed in tests/support/served.py; the alert goes to a real mail server and a real
webhook. The whole of the database and the output of containers are read in tests/compose.
"""

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.served import served
from tests.support.waiting import wait_for

DAG, TASK = "rankalpha_sentiment", "run_ai_analysis"
KEY = "2022-08-06T06:00:00"
SECRET = "sk-3f9c-not-to-be-seen"
TELLING = "sh -c 'echo told $OPENAI_API_KEY; printf %s $OPENAI_API_KEY | sha256sum; exit 65'"


@pytest.fixture(scope="module")
def told(stack, lane, mailbox, slack):
    """The failed run of a stage that prints its secret, and what was sent about it."""
    with stack.variables(OPENAI_API_KEY=SECRET, SENTIMENT_COMMAND=TELLING):
        lane.ingest(KEY)
        shown = served(stack.api, dag=DAG, run=lane.run_of("sentiment", KEY), task=TASK, batch=KEY)
    wait_for("the alert", lambda: mailbox.about(KEY) and slack.about(KEY))
    return {
        "served": shown,
        "mail": "\n".join(mailbox.about()),
        "slack": "\n".join(slack.about()),
        "address": json.loads(slack.connection)["password"],
    }


def test_the_secret_reached_its_stage(told):
    assert hashlib.sha256(SECRET.encode()).hexdigest() in told["served"]


@pytest.mark.parametrize(
    ("place", "holds"),
    [
        ("served", "told ***"),
        ("mail", f"{DAG} failed for batch"),
        ("slack", f"{DAG} failed for batch"),
    ],
)
def test_no_secret_is_shown_or_sent(told, place, holds):
    assert holds in told[place]
    assert SECRET not in told[place]
    assert told["address"] not in told[place]  # who knows a webhook's address can write there


def test_no_secret_is_written_to_a_file(stack, told):
    logs = list(Path(stack.state).rglob("*.log"))
    assert any("told ***" in path.read_text(errors="replace") for path in logs)
    written = [
        path
        for path in logs
        for secret in (SECRET, told["address"])
        if secret in path.read_text(errors="replace")
    ]
    assert written == []
