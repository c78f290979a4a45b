"""The grading API with versions: a candidate is written, and shown only when it is published."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.api.app import create_app
from apps.api.settings import Settings
from tests.unit.apps.support.api_batch import GRADES, NEWER, REFRESH, SCORES, seal_batch, write_batch
from tests.unit.apps.support.batch_files import KEY, write_prices
from tests.unit.apps.support.graded_versions import NAME, best, candidate, other_halves, publish
from tests.unit.apps.support.local_servers import served
from tests.unit.apps.support.published import content


def test_a_candidate_is_not_shown(client: httpx.Client, data: Path, inputs: dict[str, Any]) -> None:
    answer = candidate(client, inputs)
    assert (answer["graded"], answer["version"]["path"]) == (4, f"grades/{KEY}/{NAME}")
    assert set(answer["version"]["inputs"]) == {"scores", "sentiment", "prices"}
    assert {name: answer["version"]["inputs"][name] for name in inputs} == inputs
    assert answer["checksum"] == f"sha256:{answer['version']['files']['grades.json']['sha256']}"
    assert client.get(GRADES).status_code == 404
    assert not (data / "grades" / f"{KEY}.json").exists()
    assert {each.name for each in (data / "grades" / KEY).iterdir()} == {NAME}  # no temporary one stays


def test_what_is_published_is_shown(client: httpx.Client, data: Path, inputs: dict[str, Any]) -> None:
    first = candidate(client, inputs)
    for _ in range(2):
        shown = publish(client, first)
        assert (shown.status_code, shown.json()) == (200, first)
    assert best(client) == "AAPL"
    second = candidate(client, other_halves(data, 2), "grading-0a1b2c3d-2")
    assert best(client) == "AAPL"
    publish(client, second)
    assert best(client) == "KO"
    publish(client, first)  # the earlier one is made the current one again
    assert best(client) == "AAPL"
    assert len(client.get(f"{GRADES}/KO", params={"batch": KEY}).json()["sparkline"]) == 60


def test_a_repeated_request_gives_the_same_version(client: httpx.Client, inputs: dict[str, Any]) -> None:
    assert candidate(client, inputs) == candidate(client, inputs)


def test_versions_of_an_older_batch_are_graded_and_the_content_is_the_same(
    client: httpx.Client, inputs: dict[str, Any]
) -> None:
    first = candidate(client, inputs)
    body = {"batch": NEWER, "version": "grading-0a1b2c3d-9", "inputs": inputs}
    second = client.post(REFRESH, json=body).json()
    assert second["version"]["path"] == f"grades/{NEWER}/grading-0a1b2c3d-9"
    assert second["version"]["inputs"] == first["version"]["inputs"]
    assert second["content"] == first["content"]
    assert second["checksum"] != first["checksum"]  # the file names its batch


def test_a_bare_refresh_grades_what_is_shown_again(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    first = candidate(client, inputs)
    publish(client, first)
    other_halves(data, 2)  # not published
    for answer in (client.post(REFRESH), client.get(REFRESH, params={"batch": KEY})):
        assert answer.json() == first
    assert best(client) == "AAPL"


def test_a_bare_refresh_knows_of_no_version_that_is_not_shown(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    candidate(client, inputs)
    for body in ({}, {"batch": KEY}):
        answer = client.post(REFRESH, json=body)
        assert answer.status_code == 409
        assert "trigger rankalpha_grading" in answer.json()["detail"]
    write_batch(data, NEWER)  # in the older layout
    assert client.post(REFRESH).json()["batch"] == NEWER


def test_another_weight_makes_another_version_of_the_same_inputs(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    first = candidate(client, inputs)
    publish(client, first)
    before = content(data / "grades" / KEY)
    with served(create_app(Settings(data_dir=data, sentiment_weight=1))) as other:
        again = other.post(REFRESH).json()
        assert other.post(REFRESH).json() == again
    assert again["version"]["inputs"] == first["version"]["inputs"]
    assert again["version"]["path"] != first["version"]["path"]
    assert client.get(GRADES).json()["sentiment_weight"] == 1
    assert {name: content(data / "grades" / KEY)[name] for name in before} == before


def test_sparklines_are_of_the_prices_that_the_scores_were_made_from(
    client: httpx.Client, data: Path
) -> None:
    """Scores of prices from before the upgrade do not name any; what lies in the folder now may be others."""
    halves = seal_batch(data, KEY, known=False)
    write_prices(data, list(SCORES))
    answer = candidate(client, halves)
    assert answer["version"]["inputs"] == halves
    publish(client, answer)
    assert client.get(f"{GRADES}/KO").json()["sparkline"] == []


def test_an_upgrade_keeps_what_is_shown_until_a_version_is_published(
    client: httpx.Client, data: Path
) -> None:
    """A half, or both, may be from before there were versions."""
    shown = client.post(REFRESH).json()
    assert "version" not in shown
    answer = candidate(client, {})
    assert answer["version"]["inputs"] == {}
    assert answer["checksum"] == shown["checksum"]
    assert publish(client, answer).status_code == 200
    assert client.post(REFRESH).json() == answer


@pytest.mark.parametrize("gone", ["scores", "sentiment"])
def test_a_half_that_has_no_version_is_looked_for_in_the_folder_of_the_batch(
    client: httpx.Client, inputs: dict[str, Any], gone: str
) -> None:
    del inputs[gone]
    answer = client.post(REFRESH, json={"batch": KEY, "version": NAME, "inputs": inputs})
    assert answer.status_code == 409
    assert gone in answer.json()["detail"]


def test_the_schema_of_the_manifest_is_that_of_the_stages(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    answer = candidate(client, inputs)
    manifest = json.loads((data / answer["version"]["path"] / "manifest.json").read_text())
    assert set(manifest) == {"stage", "batch", "version", "files", "inputs", "earlier"}
    assert (manifest["stage"], manifest["version"]) == ("grading", NAME)
