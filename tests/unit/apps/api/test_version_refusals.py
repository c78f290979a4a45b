"""What the grading API refuses about versions, and how it compares them with what was published."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.apps.support.api_batch import GRADES, NEWER, PUBLISH, REFRESH, VERIFY, seal_batch, write_batch
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.graded_versions import NAME, best, candidate, other_halves, publish, reference
from tests.unit.apps.support.published import content, overwrite


def test_a_version_that_is_taken_is_refused(client: httpx.Client, data: Path, inputs: dict[str, Any]) -> None:
    candidate(client, inputs)
    before = content(data)
    body = {"batch": KEY, "version": NAME, "inputs": other_halves(data, 2)}
    answer = client.post(REFRESH, json=body)
    assert answer.status_code == 409
    assert "was made from other versions" in answer.json()["detail"]
    assert {name: content(data)[name] for name in before} == before


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


def test_verify_sees_whether_a_version_is_the_one_that_is_shown(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    first = candidate(client, inputs)
    second = candidate(client, other_halves(data, 2), "grading-0a1b2c3d-2")
    publish(client, first)
    asked = {number: reference(each) | {"shown": "true"} for number, each in ((1, first), (2, second))}
    assert client.get(VERIFY, params=asked[1]).json()["ok"] is True
    assert client.get(VERIFY, params=first["version"]["inputs"]["scores"] | {"shown": "true"}).json()["ok"]
    (problem,) = client.get(VERIFY, params=asked[2]).json()["problems"]
    assert f"what is shown is {first['version']['path']}, but grading-0a1b2c3d-2 was published" in problem


@pytest.mark.parametrize("in_place", [True, False])
def test_verify_sees_that_what_is_shown_was_edited(
    client: httpx.Client, data: Path, inputs: dict[str, Any], in_place: bool
) -> None:
    answer = candidate(client, inputs)
    publish(client, answer)
    shown = data / "grades" / f"{KEY}.json"
    edited = shown.read_bytes().replace(b"AAPL", b"AAPX")
    if in_place:
        overwrite(shown, edited)  # it is the file of the version, too
    else:
        shown.unlink()
        shown.write_bytes(edited)
    (problem,) = client.get(VERIFY, params=reference(answer) | {"shown": "true"}).json()["problems"]
    assert ("its SHA-256 is" if in_place else "is none of the versions") in problem


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
