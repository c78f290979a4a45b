"""What the grading API refuses, with which status, and that it says why."""

from pathlib import Path

import httpx
import polars as pl
import pytest

from apps.api.app import create_app
from apps.api.settings import Settings
from tests.unit.apps.support.api_batch import GRADES, NEWER, REFRESH, SCORES
from tests.unit.apps.support.batch_files import KEY, write_scores
from tests.unit.apps.support.local_servers import served


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (["prices"], [f"prices/{KEY}/scores.parquet (scoring stage)"]),
        (["company_reports"], [f"company_reports/{KEY}/sentiment.json (sentiment stage)"]),
    ],
)
@pytest.mark.parametrize("body", [{"batch": KEY}, {}])
def test_a_missing_half_is_named(
    client: httpx.Client, data: Path, gone: list[str], named: list[str], body: dict[str, str]
) -> None:
    for volume in gone:
        for name in ("scores.parquet", "sentiment.json"):
            (data / volume / KEY / name).unlink(missing_ok=True)
    answer = client.post(REFRESH, json=body)
    assert answer.status_code == 409
    assert all(each in answer.json()["detail"] for each in named)
    assert not (data / "grades").exists()


def test_unknown_batches(client: httpx.Client, tmp_path: Path) -> None:
    assert client.post(REFRESH, json={"batch": NEWER}).status_code == 404
    assert client.get(GRADES, params={"batch": NEWER}).status_code == 404
    with served(create_app(Settings(data_dir=tmp_path / "empty"))) as empty:
        for answer in (empty.post(REFRESH), empty.get(GRADES), empty.get(f"{GRADES}/AAPL")):
            assert answer.status_code == 404
            assert "yet" in answer.json()["detail"]
        assert empty.get("/health").json() == {"status": "ok", "newest_batch": None, "newest_graded": None}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "latest",
        "2026-11-22",
        "2026-11-22T06:00:00Z",
        "2026-11-22 06:00:00",
        "2026-11-22T6:00:00",
        "2026-13-22T06:00:00",
        "2026-11-22T06:00:00/../2026-11-22T06:00:00",
        "../../etc/passwd",
        "..",
        f"{KEY}\n",
        f"{KEY}\x00",
        "٢٠٢٦-11-22T06:00:00",
    ],
)
def test_malformed_keys_are_refused(client: httpx.Client, data: Path, key: str) -> None:
    for answer in (
        client.post(REFRESH, json={"batch": key}),
        client.get(REFRESH, params={"batch": key}),
        client.get(GRADES, params={"batch": key}),
        client.get(f"{GRADES}/AAPL", params={"batch": key}),
    ):
        assert answer.status_code == 422
        assert "2026-11-22T06:00:00" in answer.text
    assert not (data / "grades").exists()


@pytest.mark.parametrize("body", ["{", "[]", '"2026"', '{"batch": 5}'])
def test_malformed_bodies_are_refused(client: httpx.Client, body: str) -> None:
    answer = client.post(REFRESH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


OUT_OF_RANGE = b'{"symbols": [{"symbol": "KO", "sentiment": 7, "headlines": 1}]}'


def spoil(path: Path, **columns: object) -> None:
    frame = pl.read_parquet(path)
    frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()}).write_parquet(path)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("prices/{}/scores.parquet", b"", "scores.parquet"),
        ("prices/{}/scores.parquet", b"PAR1 nonsense PAR1", "scores.parquet"),
        ("prices/{}/prices.parquet", b"nonsense", "prices.parquet"),
        ("company_reports/{}/sentiment.json", b"{", "sentiment.json"),
        ("company_reports/{}/sentiment.json", b"\xff\xfe", "sentiment.json"),
        ("company_reports/{}/sentiment.json", OUT_OF_RANGE, "sentiment"),
    ],
)
def test_corrupt_files_are_named(
    client: httpx.Client, data: Path, file: str, content: bytes, says: str
) -> None:
    (data / file.format(KEY)).write_bytes(content)
    answer = client.post(REFRESH, json={"batch": KEY})
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert not (data / "grades").exists()


@pytest.mark.parametrize(
    "columns",
    [{"score": 101.0}, {"momentum": -0.1}, {"value": float("nan")}, {"symbol": "KO"}, {"score": "high"}],
)
def test_impossible_scores_are_refused(client: httpx.Client, data: Path, columns: dict[str, object]) -> None:
    spoil(data / "prices" / KEY / "scores.parquet", **columns)
    answer = client.post(REFRESH, json={"batch": KEY})
    assert answer.status_code == 422
    assert "scores.parquet" in answer.json()["detail"]


def test_a_batch_without_any_score_cannot_be_graded(client: httpx.Client, data: Path) -> None:
    write_scores(data, dict.fromkeys(SCORES))
    assert "no symbol has a score" in client.post(REFRESH).json()["detail"]


@pytest.mark.parametrize(
    ("listing", "status"), [("[default]\n[nyse]\n", 422), ("[default]\n[removed]\n", 404), ("[default", 404)]
)
def test_a_market_that_is_not_listed_is_refused(tmp_path: Path, listing: str, status: int) -> None:
    """One that is listed has no batch yet; a file that cannot be read refuses nothing."""
    (tmp_path / "markets.toml").write_text(listing)
    with served(create_app(Settings(tmp_path, markets=tmp_path / "markets.toml"))) as client:
        for answer in (
            client.get(GRADES, params={"market": "removed"}),
            client.post(REFRESH, json={"market": "removed"}),
        ):
            assert answer.status_code == status
            assert ("there is no market 'removed'" in answer.json()["detail"]) == (status == 422)


def test_a_failed_refresh_keeps_the_good_grades(client: httpx.Client, data: Path) -> None:
    client.post(REFRESH)
    before = client.get(GRADES).json()
    (data / "prices" / KEY / "scores.parquet").write_bytes(b"torn")
    assert client.post(REFRESH).status_code == 422
    assert client.get(GRADES).json() == before


def test_corrupt_grades_file(client: httpx.Client, data: Path) -> None:
    client.post(REFRESH)
    (data / "grades" / f"{KEY}.json").write_text('{"batch": 1}')
    answer = client.get(GRADES)
    assert answer.status_code == 500
    assert "refresh" in answer.json()["detail"]
