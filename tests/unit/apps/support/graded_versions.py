"""Versions of grades, as the orchestrator has the API make and show them."""

from pathlib import Path
from typing import Any

import httpx

from tests.unit.apps.support.api_batch import GRADES, PUBLISH, REFRESH, SCORES, seal_batch
from tests.unit.apps.support.batch_files import KEY, write_prices, write_scores, write_sentiment

NAME = "grading-0a1b2c3d-1"


def candidate(client: httpx.Client, inputs: dict[str, Any], name: str = NAME, **more: Any) -> dict[str, Any]:
    answer = client.post(REFRESH, json={"batch": KEY, "version": name, "inputs": inputs, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def reference(answer: dict[str, Any]) -> dict[str, str]:
    return {key: answer["version"][key] for key in ("path", "sha256")}


def publish(client: httpx.Client, answer: dict[str, Any]) -> httpx.Response:
    return client.post(PUBLISH, json={"batch": KEY, "version": reference(answer)})


def other_halves(data: Path, number: int) -> dict[str, Any]:
    """Versions of the batch with other scores: KO is the best."""
    write_scores(data, SCORES | {"KO": 99.0})
    write_sentiment(data, {})
    write_prices(data, list(SCORES))
    return seal_batch(data, KEY, number)


def best(client: httpx.Client) -> str:
    return client.get(GRADES, params={"batch": KEY}).json()["grades"][0]["symbol"]
