"""The sentiment container: one consensus batch of the screeners' top names, then it exits."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

SPENT = ("analysed", "input_tokens", "output_tokens", "cost_dollars", "pruned")


def used_again(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details of a report that is used again: nothing is analysed, nor paid."""
    spent = {key: 0 for key in SPENT if key in details}
    return {**details, **spent, "reused": details.get("reused", 0) + details.get("analysed", 0)}


SENTIMENT_ANALYSIS = Stage(
    name="sentiment",
    image="rankalpha_sentiment",
    command="uv run main.py",
    working_dir="/app/apps/sentiment",
    env={
        "SENTIMENT_USE_CONSENSUS": "true",
        "SENTIMENT_CONSENSUS_MIN_APPEARANCES": "2",
        "SENTIMENT_CONSENSUS_MIN_STYLES": "1",
        "SENTIMENT_CONSENSUS_LIMIT": "10",
        "SENTIMENT_CONSENSUS_BATCH_ONLY": "true",  # the task must end; the service outside Airflow need not
        "SENTIMENT_SKIP_IF_WITHIN_DAYS": "0",
    },
    optional=(
        "SENTIMENT_HEADLINES",
        "SENTIMENT_RSS_URL",
        "SENTIMENT_HEADLINES_MAX_AGE_DAYS",
        "SENTIMENT_IN_FLIGHT",
        "SENTIMENT_TIMEOUT_SECONDS",
        "SENTIMENT_ATTEMPTS",
        "SENTIMENT_LONGEST_WAIT_SECONDS",
        "SENTIMENT_BUDGET_TOKENS",
        "SENTIMENT_BUDGET_DOLLARS",
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        "OPENAI_INPUT_PRICE",
        "OPENAI_OUTPUT_PRICE",
        "OPENAI_TIMEOUT_SECONDS",
        "OPENAI_ATTEMPTS",
        "OPENAI_LONGEST_WAIT_SECONDS",
    ),
    secrets=("OPENAI_API_KEY",),
    data_dir_keys=("RANKALPHA_DATA_DIR", "SENTIMENT_DATA_DIR"),
    memory="2g",
    timeout=timedelta(hours=1),  # a language model may take its time
    output="company_reports",
    earlier={"sentiment": 30},  # what was analysed when
    prunes=True,
    reuse=True,
    outside=True,  # headlines
    carries="SENTIMENT_SKIP_IF_WITHIN_DAYS",
    again=used_again,
    docker=DockerOptions(
        volumes=(
            Volume("prices_data", "/data/prices"),
            Volume("company_reports", "/data/company_reports"),
            Volume("analysis_schedule", "/data/analysis_schedule"),
        )
    ),
)
