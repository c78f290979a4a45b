"""The grading API over HTTP: what it answers, and that repeating changes nothing."""

from pathlib import Path

import httpx
import pytest

from apps.common.files import checksum
from tests.unit.apps.support.api_batch import GRADES, NEWER, REFRESH, SCORES
from tests.unit.apps.support.batch_files import AS_OF, KEY, write_scores, write_sentiment


def test_refresh_answers_what_was_agreed(client: httpx.Client, data: Path) -> None:
    answer = client.post(REFRESH, json={"batch": KEY})
    assert answer.status_code == 200
    assert answer.json() == {
        "batch": KEY,
        "as_of": AS_OF.isoformat(),
        "graded": 4,
        "distribution": {"A": 1, "B": 1, "C": 1, "D": 1, "F": 0},
        "checksum": checksum(data / "grades" / f"{KEY}.json"),
    }


def test_every_way_to_name_the_batch_is_the_same(client: httpx.Client, data: Path) -> None:
    path = data / "grades" / f"{KEY}.json"
    answers, contents = [], []
    for response in (
        client.post(REFRESH, json={"batch": KEY}),
        client.post(REFRESH, params={"batch": KEY}),
        client.get(REFRESH, params={"batch": KEY}),
        client.post(REFRESH),
        client.post(REFRESH, json={}),
        client.get(REFRESH),
    ):
        assert response.status_code == 200, response.text
        answers.append(response.json())
        contents.append(path.read_bytes())
    assert all(answer == answers[0] for answer in answers)
    assert len(set(contents)) == 1
    # no temporary file stays
    assert {each.name for each in path.parent.iterdir()} == {path.name, "history"}


def test_without_a_batch_the_newest_complete_one(client: httpx.Client, data: Path) -> None:
    write_scores(data, SCORES, NEWER)  # its sentiment is still missing
    assert client.post(REFRESH).json()["batch"] == KEY
    write_sentiment(data, {}, NEWER)
    assert client.post(REFRESH).json()["batch"] == NEWER
    assert client.get(GRADES).json()["batch"] == NEWER
    assert client.get(GRADES, params={"batch": KEY}).json()["batch"] == KEY


def test_a_batch_never_reads_the_data_of_another(client: httpx.Client, data: Path) -> None:
    client.post(REFRESH, json={"batch": KEY})
    write_scores(data, {"AAPL": 1.0}, NEWER)
    assert client.post(REFRESH, json={"batch": NEWER}).status_code == 409
    write_sentiment(data, {"AAPL": -1.0}, NEWER)
    assert client.post(REFRESH, json={"batch": NEWER}).json()["graded"] == 1
    assert client.get(f"{GRADES}/AAPL").json()["composite"] == 0.8
    assert client.get(f"{GRADES}/AAPL", params={"batch": KEY}).json()["sentiment"] == 0.5


def test_grades_and_one_grade(client: httpx.Client) -> None:
    client.post(REFRESH)
    answer = client.get(GRADES).json()
    assert [row["symbol"] for row in answer["grades"]] == ["AAPL", "KO", "PG", "XOM"]
    assert len(answer["grades"][0]["sparkline"]) == 60
    assert answer["graded_at"].endswith(("Z", "+00:00"))
    assert client.get(f"{GRADES}/ko").json() == answer["grades"][1]
    missing = client.get(f"{GRADES}/TSLA")
    assert missing.status_code == 404
    assert KEY in missing.json()["detail"]
    assert client.get("/health").json()["newest_graded"] == KEY


def test_another_market_is_graded_on_its_own_data(client: httpx.Client, data: Path) -> None:
    own = {"batch": KEY, "market": "nyse"}
    assert client.post(REFRESH, json=own).status_code == 404
    write_scores(data / "nyse", {"IBM": 80.0}, KEY)
    write_sentiment(data / "nyse", {"IBM": 0.5}, KEY)
    for answer in (client.post(REFRESH, json=own), client.get(REFRESH, params=own)):
        assert (answer.json()["market"], answer.json()["graded"]) == ("nyse", 1)
    assert (data / "nyse" / "grades" / f"{KEY}.json").is_file()
    assert client.get(GRADES).status_code == 404
    assert client.get(f"{GRADES}/IBM", params={"market": "nyse"}).json()["rank"] == 1
    client.post(REFRESH, json={"batch": KEY, "market": "default"})
    assert client.get(GRADES).json()["grades"][0]["symbol"] == "AAPL"


@pytest.mark.parametrize("market", ["", "../nyse", "NYSE", "a/b", ".", "n" * 41, "nyse\n"])
def test_what_is_no_name_of_a_market_is_refused(client: httpx.Client, market: str) -> None:
    assert client.post(REFRESH, json={"batch": KEY, "market": market}).status_code == 422
    assert client.get(GRADES, params={"market": market}).status_code == 422
