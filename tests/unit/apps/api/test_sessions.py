"""Which session grades are of, and the batch that they were carried over from, in the API's answers."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.apps.support.api_batch import GRADES, NEWER, REFRESH
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.graded_versions import NAME, candidate, publish

SESSION = {"newest": "2026-11-20", "behind": 0, "next_close": "2026-11-23T21:00:00Z"}


def graded(client: httpx.Client, batch: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Grade a batch and show it; return the answer of grading and that of reading."""
    made = client.post(REFRESH, json={"batch": batch, "version": NAME, "inputs": inputs, **more})
    made.raise_for_status()
    version = {key: made.json()["version"][key] for key in ("path", "sha256")}
    client.post("/api/v1/grading/publish", json={"batch": batch, "version": version}).raise_for_status()
    return {**made.json(), "read": client.get(GRADES, params={"batch": batch}).json()}


def test_what_the_orchestrator_says_of_the_session_is_read_with_the_grades(
    client: httpx.Client, inputs: dict[str, Any]
) -> None:
    assert graded(client, KEY, inputs, session=SESSION)["read"]["session"] == SESSION
    assert client.get(GRADES).json()["carried_over_from"] is None


def test_the_same_grades_of_the_same_inputs_are_carried_over(
    client: httpx.Client, inputs: dict[str, Any]
) -> None:
    before = graded(client, KEY, inputs, session=SESSION)
    same = {"0a" * 32: "2026-11-20T06:00:00", before["content"]: KEY}
    after = graded(client, NEWER, inputs, session=SESSION, same_inputs=same)
    assert after["read"]["carried_over_from"] == KEY
    assert after["content"] == before["content"], "neither the batch nor its session counts"
    assert after["checksum"] != before["checksum"]


def test_a_batch_with_one_half_of_its_own_is_not(client: httpx.Client, inputs: dict[str, Any]) -> None:
    older = {name: each for name, each in inputs.items() if name == "scores"}
    assert candidate(client, inputs)["batch"] == KEY
    answer = client.post(REFRESH, json={"batch": NEWER, "version": NAME, "inputs": older})
    assert answer.status_code == 409, "the other half of the newer batch is not there"


def test_other_grades_of_the_same_inputs_are_not(client: httpx.Client, inputs: dict[str, Any]) -> None:
    """The share of sentiment may have changed between the two, or the code that grades."""
    after = graded(client, NEWER, inputs, same_inputs={"0a" * 32: KEY})
    assert after["read"]["carried_over_from"] is None


def test_grading_again_keeps_what_is_carried_over(
    client: httpx.Client, inputs: dict[str, Any], data: Path
) -> None:
    before = graded(client, KEY, inputs)
    (data / "prices" / NEWER).mkdir()  # its prices are new, though they say the same
    graded(client, NEWER, inputs, same_inputs={before["content"]: KEY})
    again = client.post(REFRESH, json={"batch": NEWER}).raise_for_status().json()
    assert client.get(GRADES, params={"batch": NEWER}).json()["carried_over_from"] == KEY
    assert again["version"]["path"].endswith(NAME), "nothing else was made"


def test_grading_again_keeps_the_session(client: httpx.Client, inputs: dict[str, Any]) -> None:
    graded(client, KEY, inputs, session=SESSION)
    client.post(REFRESH, json={"batch": KEY}).raise_for_status()
    assert client.get(GRADES).json()["session"] == SESSION


@pytest.mark.parametrize("wrong", [{"newest": "friday"}, {**SESSION, "next_close": "2026-11-23T21:00:00"}, 5])
def test_a_session_that_is_none_is_refused(client: httpx.Client, inputs: dict[str, Any], wrong: Any) -> None:
    request = {"batch": KEY, "version": NAME, "inputs": inputs, "session": wrong}
    assert client.post(REFRESH, json=request).status_code == 422


def test_without_a_session_the_file_of_grades_is_as_before(
    client: httpx.Client, inputs: dict[str, Any], data: Path
) -> None:
    publish(client, candidate(client, inputs))
    text = (data / "grades" / f"{KEY}.json").read_text()
    assert 'session"' not in text
    assert "carried_over_from" not in text
