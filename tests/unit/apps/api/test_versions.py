"""The grading API with versions: a candidate is written, and shown only when it is published."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.api.app import create_app
from apps.api.settings import Settings
from tests.unit.apps.support.api_batch import (
    GRADES,
    NEWER,
    PUBLISH,
    REFRESH,
    SCORES,
    VERIFY,
    seal_batch,
    write_batch,
)
from tests.unit.apps.support.batch_files import KEY, write_prices, write_scores, write_sentiment
from tests.unit.apps.support.local_servers import served
from tests.unit.apps.support.published import content, overwrite

NAME = "grading-0a1b2c3d-1"


@pytest.fixture
def inputs(data: Path) -> dict[str, Any]:
    """The versions of the batch's halves; nothing is left of the older layout."""
    return seal_batch(data, KEY)


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


def test_a_version_that_is_taken_is_refused(client: httpx.Client, data: Path, inputs: dict[str, Any]) -> None:
    candidate(client, inputs)
    before = content(data)
    body = {"batch": KEY, "version": NAME, "inputs": other_halves(data, 2)}
    answer = client.post(REFRESH, json=body)
    assert answer.status_code == 409
    assert "was made from other versions" in answer.json()["detail"]
    assert {name: content(data)[name] for name in before} == before


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


DAMAGED = [
    ("prices", "ingestion", "prices.parquet"),
    ("prices", "scorer", "scores.parquet"),
    ("prices", "scorer", "manifest.json"),
    ("company_reports", "sentiment", "sentiment.json"),
]


@pytest.mark.parametrize(("volume", "stage", "file"), DAMAGED)
def test_halves_that_were_not_published_are_not_graded(
    client: httpx.Client, data: Path, inputs: dict[str, Any], volume: str, stage: str, file: str
) -> None:
    path = data / volume / KEY / f"{stage}-0a1b2c3d-1" / file
    overwrite(path, path.read_bytes()[:-1] + b"?")
    answer = client.post(REFRESH, json={"batch": KEY, "version": NAME, "inputs": inputs})
    assert answer.status_code == 422
    assert f"{path}: its SHA-256 is" in answer.json()["detail"]
    assert "make publish-version" in answer.json()["detail"]
    assert not list((data / "grades").rglob("*.json"))


@pytest.mark.parametrize("damage", ["edited", "gone", "lie"])
def test_grades_that_are_not_what_was_sealed_are_not_shown(
    client: httpx.Client, data: Path, inputs: dict[str, Any], damage: str
) -> None:
    publish(client, candidate(client, inputs))
    second = candidate(client, other_halves(data, 2), "grading-0a1b2c3d-2")
    folder = data / second["version"]["path"]
    if damage == "edited":
        overwrite(folder / "grades.json", (folder / "grades.json").read_bytes().replace(b"99.0", b"98.0"))
    if damage == "gone":
        folder.rename(folder.with_name("elsewhere"))
    if damage == "lie":
        second["version"]["sha256"] = "0" * 64
    answer = publish(client, second)
    assert answer.status_code == 422
    assert str(folder) in answer.json()["detail"]
    assert best(client) == "AAPL"


@pytest.mark.parametrize(
    "change",
    [
        {"batch": None},
        {"version": "../other"},
        {"version": ""},
        {"inputs": {"scores": {"path": "prices/../x/y", "sha256": "0" * 64}}},
        {"inputs": {"scores": {"path": f"prices/{NEWER}/scorer-1", "sha256": "0" * 64}}},
        {"inputs": {"scores": {"path": f"grades/{KEY}/scorer-1", "sha256": "0" * 64}}},
        {"inputs": {"scores": {"path": f"prices/{KEY}/scorer-1", "sha256": "zz"}}},
        {"inputs": {"news": {"path": f"prices/{KEY}/scorer-1", "sha256": "0" * 64}}},
    ],
)
def test_malformed_requests_are_refused(client: httpx.Client, data: Path, change: dict[str, Any]) -> None:
    answer = client.post(REFRESH, json={"batch": KEY, "version": NAME, "inputs": {}} | change)
    assert answer.status_code == 422
    assert not (data / "grades").exists()


@pytest.mark.parametrize("path", [f"prices/{KEY}/x-1", f"grades/{NEWER}/x-1", "../grades/a", "/etc/passwd"])
def test_only_grades_of_the_batch_can_be_shown(client: httpx.Client, path: str) -> None:
    version = {"path": path, "sha256": "0" * 64}
    assert client.post(PUBLISH, json={"batch": KEY, "version": version}).status_code == 422


def test_verify_compares_every_file(client: httpx.Client, data: Path, inputs: dict[str, Any]) -> None:
    answer = candidate(client, inputs)
    for version in (*answer["version"]["inputs"].values(), reference(answer)):
        assert client.get(VERIFY, params=version).json() == {"ok": True, "problems": []}
    folder = data / answer["version"]["path"]
    overwrite(folder / "grades.json", b"{}")
    (folder / "notes.txt").touch()
    found = client.get(VERIFY, params=reference(answer)).json()
    assert found["ok"] is False
    assert [each.split(": ")[0] for each in found["problems"]] == [
        str(folder / "grades.json"),
        str(folder / "notes.txt"),
    ]
    other = client.get(VERIFY, params=reference(answer) | {"sha256": "0" * 64}).json()
    assert "but 0000" in other["problems"][0]
    for bad in ("../../etc", "grades", ""):
        assert client.get(VERIFY, params={"path": bad, "sha256": "0" * 64}).status_code == 422


def test_markets_have_versions_of_their_own(client: httpx.Client, data: Path) -> None:
    write_batch(data / "nyse", KEY)
    own = seal_batch(data / "nyse", KEY)
    answer = candidate(client, own, market="nyse")
    body = {"batch": KEY, "market": "nyse", "version": reference(answer)}
    assert client.get(VERIFY, params=reference(answer)).json()["ok"] is False
    assert client.get(VERIFY, params=reference(answer) | {"market": "nyse"}).json()["ok"] is True
    assert client.post(PUBLISH, json=body).json()["market"] == "nyse"
    assert (data / "nyse" / "grades" / f"{KEY}.json").is_file()
    assert client.get(GRADES).status_code == 404


def test_the_schema_of_the_manifest_is_that_of_the_stages(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    answer = candidate(client, inputs)
    manifest = json.loads((data / answer["version"]["path"] / "manifest.json").read_text())
    assert set(manifest) == {"stage", "batch", "version", "files", "inputs", "earlier"}
    assert (manifest["stage"], manifest["version"]) == ("grading", NAME)
