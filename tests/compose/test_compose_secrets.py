"""Secrets reach those who need them and are written nowhere else, not even when a stage prints its own."""

import hashlib
import io
import json
import secrets

import pytest
from dotenv import dotenv_values

from rankalpha.stack.keys import KEYS, KEYS_FILE
from rankalpha.stack.preflight import BROKER, DATABASE, password_of
from tests.support.served import served

CONTENT = "find /var/log/airflow -type f -exec cat {} +"


def telling(key, command):
    """A stage's command that first prints a secret, and its hash, by which its arrival can be seen."""
    return f"sh -c 'echo told ${key}; printf %s ${key} | sha256sum; unset {key}; exec {command}'"


@pytest.fixture(scope="module")
def markers():
    """A secret for each of two stages: one of its env file, one of a Variable."""
    return {"MARKER_API_TOKEN": secrets.token_urlsafe(24), "OPENAI_API_KEY": secrets.token_urlsafe(24)}


@pytest.fixture(scope="module")
def told(stack, batch, markers):
    """The logs of two stages that print their secrets."""
    file = stack.checkout / "env/local/scorer.env"
    before = file.read_text()
    file.write_text(f"{before}\nMARKER_API_TOKEN={markers['MARKER_API_TOKEN']}\n")
    variables = {
        "OPENAI_API_KEY": markers["OPENAI_API_KEY"],
        "SCORER_COMMAND": telling("MARKER_API_TOKEN", "python apps/scorer/main.py"),
        "SENTIMENT_COMMAND": telling("OPENAI_API_KEY", "uv run main.py"),
    }
    with stack.variables(**variables):
        scoring, sentiment = (stack.trigger(f"rankalpha_{name}", batch) for name in ("scoring", "sentiment"))
        stack.settle()
        shown = served(
            stack.api, dag="rankalpha_sentiment", run=sentiment, task="run_ai_analysis", batch=batch
        )
        database = stack.exec("postgres", "pg_dump", "--username=airflow", "airflow")
    file.write_text(before)
    return {
        "MARKER_API_TOKEN": stack.log("rankalpha_scoring", scoring, "run_scorer"),
        "OPENAI_API_KEY": stack.log("rankalpha_sentiment", sentiment, "run_ai_analysis"),
        "database": database,
        "what is served": shown,
    }


@pytest.fixture(scope="module")
def known(stack, markers):
    """Everything that must show nowhere: what the stack has made for itself, and the stages' secrets."""
    made = dotenv_values(stream=io.StringIO(stack.exec("airflow-scheduler", "cat", str(KEYS_FILE))))
    passwords = {key: password_of(made[key]) for key in (DATABASE, BROKER)}
    return {**{key: made[key] for key in KEYS}, **passwords, **markers}


@pytest.mark.parametrize("key", ["MARKER_API_TOKEN", "OPENAI_API_KEY"])
def test_a_secret_reaches_its_stage_and_is_masked_in_its_log(told, markers, key):
    assert hashlib.sha256(markers[key].encode()).hexdigest() in told[key]
    assert "told ***" in told[key]


@pytest.mark.parametrize(
    ("place", "holds"),
    [
        ("database", "OPENAI_API_KEY"),
        ("what is served", "told ***"),
        ("task logs", "told ***"),
        ("container logs", "Following batch"),
        ("docker inspect", "RANKALPHA_DOCKER_URL"),
    ],
)
def test_no_secret_is_written_down(stack, engine, told, known, place, holds):
    """The database is read whole: XComs, rendered fields, events, serialised DAGs, audit log, Variables."""
    read = {
        "database": lambda: told["database"],
        "what is served": lambda: told["what is served"],
        "task logs": lambda: stack.exec("airflow-scheduler", "sh", "-c", CONTENT),
        "container logs": stack.logs,
        "docker inspect": lambda: json.dumps([engine.inspect_container(name) for name in stack.ids()]),
    }
    text = read[place]()
    assert holds in text
    assert all(len(secret) >= 24 for secret in known.values())
    assert [key for key, secret in known.items() if secret in text] == []
