"""The grading API with evaluations: one is shown when it is published, and the page reads what is shown."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.common.manifest import seal
from apps.evaluation.form import Evaluation, Part
from tests.unit.apps.support.api_batch import NEWER
from tests.unit.apps.support.batch_files import KEY
from tests.unit.apps.support.published import overwrite

PUBLISH, RECORD = "/api/v1/evaluation/publish", "/api/v1/grading/record"


def sealed(data: Path, key: str, number: int = 1, symbols: int = 4) -> dict[str, str]:
    """Write a version of an evaluation, as the stage does; return how a request names it."""
    folder = data / "evaluations" / key / f"evaluation-0a1b2c3d-{number}"
    folder.mkdir(parents=True)
    part = Part(first=None, last=None, gradings=0, every=None, limits=[], figures={})
    made = Evaluation(batch=key, as_of="2026-11-20", symbols=symbols, horizons=[1], live=part, backtest=part)
    (folder / "evaluation.json").write_text(made.model_dump_json())
    version = seal(folder, str(folder.relative_to(data)), "evaluation", {})
    return {"path": version.path, "sha256": version.sha256}


def show(client: httpx.Client, key: str, version: dict[str, str], **more: Any) -> httpx.Response:
    return client.post(PUBLISH, json={"batch": key, "version": version, **more})


def test_what_is_published_is_shown_and_the_newest_batch_counts(client: httpx.Client, data: Path) -> None:
    first, newer, again = sealed(data, KEY), sealed(data, NEWER), sealed(data, KEY, 2, symbols=5)
    assert client.get(RECORD).status_code == 404
    for key, version in ((NEWER, newer), (KEY, first), (KEY, again)):
        answer = show(client, key, version)
        assert (answer.status_code, answer.json()) == (200, {"batch": key})
    assert client.get(RECORD).json()["batch"] == NEWER
    answer = client.get(RECORD, params={"batch": KEY})
    assert answer.json()["symbols"] == 5
    known = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(RECORD, params={"batch": KEY}, headers=known).status_code == 304


def test_a_market_has_its_own(client: httpx.Client, data: Path) -> None:
    version = sealed(data / "nyse", KEY)
    assert show(client, KEY, version, market="nyse").json() == {"batch": KEY, "market": "nyse"}
    assert client.get(RECORD).status_code == 404
    assert client.get(RECORD, params={"market": "nyse"}).json()["batch"] == KEY


def test_an_evaluation_that_was_changed_is_not_shown(client: httpx.Client, data: Path) -> None:
    version = sealed(data, KEY)
    overwrite(data / version["path"] / "evaluation.json", b"{}")
    answer = show(client, KEY, version)
    assert answer.status_code == 422
    assert "evaluation.json" in answer.text
    assert client.get(RECORD).status_code == 404


def test_a_batch_may_have_the_evaluation_of_an_earlier_one(client: httpx.Client, data: Path) -> None:
    """Its grades are carried over."""
    assert show(client, NEWER, sealed(data, KEY)).json() == {"batch": NEWER}
    assert client.get(RECORD, params={"batch": NEWER}).json()["batch"] == KEY


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (f"grades/{KEY}/grading-1", "expected a version below evaluations/"),
        (f"evaluations/{NEWER}/evaluation-1", f"is of a newer batch than {KEY}"),
    ],
)
def test_another_version_is_refused(client: httpx.Client, path: str, why: str) -> None:
    answer = show(client, KEY, {"path": path, "sha256": "0a" * 32})
    assert answer.status_code == 422
    assert why in answer.text


def test_what_is_shown_and_damaged_is_named(client: httpx.Client, data: Path) -> None:
    file = data / "evaluations" / f"{KEY}.json"
    file.parent.mkdir()
    file.write_text("{}")
    answer = client.get(RECORD)
    assert answer.status_code == 500
    assert str(file) in answer.text
