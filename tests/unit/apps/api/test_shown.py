"""What the page is given: the bytes of a version, or a refusal."""

import os
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.apps.support.api_batch import GRADES, REFRESH, VERIFY, seal_batch
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.graded_versions import NAME, best, candidate, other_halves, publish, reference
from tests.unit.apps.support.published import overwrite


def edit(shown: Path) -> None:
    """As `sed -i` does, which writes another file."""
    edited = shown.read_bytes().replace(b"AAPL", b"AAPX")
    shown.unlink()
    shown.write_bytes(edited)


def edit_in_place(shown: Path) -> None:
    overwrite(shown, shown.read_bytes().replace(b"AAPL", b"AAPX"))


@pytest.mark.parametrize(
    ("damage", "says"), [(edit, "those of none of its versions"), (edit_in_place, "its SHA-256 is")]
)
def test_grades_that_were_edited_are_not_shown(
    client: httpx.Client, data: Path, inputs: dict[str, Any], damage: Any, says: str
) -> None:
    answer = candidate(client, inputs)
    publish(client, answer)
    assert best(client) == "AAPL"  # the API has read them, and keeps them as long as the file is the same
    damage(data / "grades" / f"{KEY}.json")
    for path in (GRADES, f"{GRADES}/KO"):
        refused = client.get(path, params={"batch": KEY})
        assert refused.status_code == 500
        assert says in refused.json()["detail"]
    if damage is edit:
        assert publish(client, answer).status_code == 200  # as show_grades does again
        assert best(client) == "AAPL"


def test_grades_from_before_there_were_versions_are_shown_as_they_are(
    client: httpx.Client, data: Path
) -> None:
    client.post(REFRESH)
    candidate(client, {})  # not shown
    edit(data / "grades" / f"{KEY}.json")
    assert best(client) == "AAPX"


def test_without_links_the_same_bytes_are_shown(client: httpx.Client, data: Path) -> None:
    """As on a file system that has none, or after a backup that was copied without them."""
    halves = seal_batch(data, KEY)
    first, second = candidate(client, halves), candidate(client, halves, "grading-0a1b2c3d-2")
    third = candidate(client, other_halves(data, 2), "grading-0a1b2c3d-3")
    publish(client, first)
    shown = data / "grades" / f"{KEY}.json"
    shown.unlink()
    shutil.copyfile(data / first["version"]["path"] / "grades.json", shown)
    asked = [
        client.get(VERIFY, params=reference(each) | {"shown": "true"}).json()["ok"]
        for each in (first, second, third)
    ]
    assert asked == [True, True, False]
    assert best(client) == "AAPL"


def test_grades_that_are_being_written_are_no_version(
    client: httpx.Client, data: Path, inputs: dict[str, Any]
) -> None:
    answer = candidate(client, inputs)
    publish(client, answer)
    folder = data / answer["version"]["path"]
    writing = folder.with_name(f".{NAME}.written")
    shutil.copytree(folder, writing)
    os.utime(writing, (2**32, 2**32))  # the newest
    shown = data / "grades" / f"{KEY}.json"
    shown.unlink()
    shutil.copyfile(folder / "grades.json", shown)
    assert client.post(REFRESH).json()["version"]["path"] == answer["version"]["path"]


@pytest.mark.parametrize("there", ["a file", "nothing but the manifest"])
def test_a_folder_that_cannot_be_used_is_named(
    client: httpx.Client, data: Path, inputs: dict[str, Any], there: str
) -> None:
    if there == "a file":
        (data / "grades").write_text("in the way")
    else:
        answer = candidate(client, inputs)
        (data / answer["version"]["path"] / "manifest.json").unlink()
    refused = client.post(REFRESH, json={"batch": KEY, "version": NAME, "inputs": inputs})
    assert refused.status_code == 500
    assert str(data / "grades") in refused.json()["detail"]
    assert not list(data.glob(f"grades/{KEY}/.*"))
