"""A plan's grades are those of a grading, nothing is written, and only what a plan has made is removed."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.api.comparing import NAMED
from tests.unit.apps.support.api_batch import seal_batch
from tests.unit.apps.support.batch_files import KEY, write_prices, write_scores, write_sentiment
from tests.unit.apps.support.graded_versions import candidate, reference
from tests.unit.apps.support.published import content

PREVIEW, PLANNED = "/api/v1/grading/preview", "/api/v1/planned"


def preview(
    client: httpx.Client, champion: dict[str, Any], inputs: dict[str, Any], **more: Any
) -> httpx.Response:
    body = {"batch": KEY, "champion": reference(champion), "inputs": inputs, **more}
    return client.post(PREVIEW, json=body)


@pytest.mark.parametrize(("weight", "least"), [(None, 0), (0.7, NAMED + 1)])
def test_it_finds_what_a_grading_would_and_writes_nothing(
    client: httpx.Client, data: Path, weight: float | None, least: int
) -> None:
    """A weight of 0.7 turns the order of 60 symbols around; without one it is the champion's."""
    symbols = [f"S{number:02}" for number in range(60)]
    write_scores(data, {symbol: float(number) for number, symbol in enumerate(symbols)})
    write_sentiment(data, {symbol: 1 - number / 30 for number, symbol in enumerate(symbols)})
    write_prices(data, symbols[:1])
    inputs = seal_batch(data, KEY, 2)
    champion = candidate(client, inputs, sentiment_weight=0.1)  # not the API's own
    other = candidate(client, inputs, "grading-0a1b2c3d-2", sentiment_weight=weight or 0.1)
    body = {"batch": KEY, "champion": reference(champion), "challenger": reference(other)}
    expected = client.post("/api/v1/grading/compare", json=body).json()["details"]
    before = content(data)
    answer = preview(client, champion, inputs, sentiment_weight=weight)
    assert answer.status_code == 200, answer.text
    assert content(data) == before
    found = answer.json()
    assert (found["rows"], found["as_of"], found["details"]) == (60, other["as_of"], other["distribution"])
    details = found["comparison"]["details"]
    every, first = (each.pop("changed_symbols").split(", ") for each in (details, expected))
    assert every[:NAMED] == first
    assert len(list(filter(None, every))) == details["changed"] >= least
    assert details == expected | {"champion_only_symbols": "", "challenger_only_symbols": ""}


@pytest.mark.parametrize(
    ("inputs_without", "champion", "told"),
    [
        ({"scores"}, {}, "inputs: scores missing"),
        (
            set(),
            {"path": f"prices/{KEY}/scorer-0a1b2c3d-1"},
            f"champion.path: expected a version below grades/{KEY}/",
        ),
        (set(), {"sha256": "0a" * 32}, "was published"),
    ],
)
def test_what_cannot_be_previewed_is_refused(
    client: httpx.Client,
    inputs: dict[str, Any],
    inputs_without: set[str],
    champion: dict[str, str],
    told: str,
) -> None:
    made = candidate(client, inputs)
    left = {name: version for name, version in inputs.items() if name not in inputs_without}
    made["version"] |= champion
    answer = preview(client, made, left)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text


def test_only_what_a_plan_has_made_is_removed(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    before = content(data)
    place = f"prices/{KEY}/scorer-0a1b2c3d-plan"
    (data / place).mkdir()
    (data / place / "scores.parquet").write_bytes(b"")
    (data / place / "scores.parquet").chmod(0o444)
    for removed in (True, False):
        answer = client.delete(PLANNED, params={"path": place})
        assert (answer.status_code, answer.json()) == (200, {"removed": removed})
    for path in (
        inputs["scores"]["path"],
        f"prices/{KEY}",
        f"prices/{KEY}/../scorer-0a1b2c3d-plan",
        "prices/../scorer-0a1b2c3d-plan",
        f"/{place}",
        f"{place}/scores.parquet",
        f"{place}\n",
    ):
        answer = client.delete(PLANNED, params={"path": path})
        assert (answer.status_code, "no other is removed" in answer.text) == (422, True), path
    assert content(data) == before
