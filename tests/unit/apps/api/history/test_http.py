"""The endpoints of the record and of a symbol: forms, pages, ETags, exports and errors."""

import json
import shutil
from io import BytesIO, StringIO
from pathlib import Path

import httpx
import polars as pl
import pytest

from apps.api.history import exporting
from tests.unit.apps.support.ranked_days import FIRST, NEWCOMER, SECOND, THIRD, show


def test_batches_in_pages(three: httpx.Client) -> None:
    answer = three.get("batches", params={"limit": 2, "offset": 1}).json()
    assert (answer["total"], [each["batch"] for each in answer["batches"]]) == (3, [SECOND, FIRST])
    first = answer["batches"][1]
    assert (first["symbols"], sum(first["distribution"].values()), first["kept"]) == (4, 4, True)
    assert first["version"].startswith(f"grades/{FIRST}/")


def test_all_about_a_symbol(three: httpx.Client) -> None:
    answer = three.get("symbols/aapl", params={"batch": SECOND, "closes": 3}).raise_for_status().json()
    assert (answer["symbol"], answer["batch"], answer["symbols"]) == ("AAPL", SECOND, 5)
    assert answer["before"]["rank"] == 1
    assert answer["before_batch"] == FIRST
    assert answer["signals"]["momentum"] == 0.4
    assert [each["close"] for each in answer["prices"]] == [177.0, 178.0, 179.0]
    assert answer["close"] == 179.0
    assert answer["headlines"] == []
    assert answer["missing"] == []
    parts = answer["why"]["parts"]
    assert 50 + sum(part["contribution"] for part in parts) == pytest.approx(answer["composite"])


def test_headlines_behind_a_sentiment(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST, sentiment={"AAPL": 0.5})
    answer = client.get("symbols/AAPL").json()
    assert (answer["headlines"], len(answer["missing"])) == (None, 1)  # a stage that keeps none
    path = next((data / "company_reports" / FIRST).glob("*/sentiment.json"))
    report = json.loads(path.read_text())
    report["symbols"][0]["titles"] = [{"title": "Apple rises", "sentiment": 0.5}]
    path.chmod(0o644)
    path.write_text(json.dumps(report))
    changed = client.get("symbols/AAPL").json()  # not what was published
    assert "its SHA-256 is" in changed["missing"][0] or "bytes" in changed["missing"][0]


def test_changes(three: httpx.Client) -> None:
    answer = three.get("changes").json()
    assert (answer["from"], answer["to"], answer["total"]) == (SECOND, THIRD, 5)
    assert answer["changes"][-1]["symbol"] == "XOM"
    assert answer["changes"][-1]["status"] == "left"
    wide = three.get("changes", params={"from": FIRST, "to": THIRD}).json()["changes"]
    assert {each["symbol"]: each["status"] for each in wide if each["status"] != "stayed"} == {
        "NEW": "entered",
        "XOM": "left",
    }
    assert len(three.get("changes", params={"limit": 1}).json()["changes"]) == 1
    assert three.get("changes", params={"to": FIRST}).status_code == 404


def test_a_history_of_some_days(three: httpx.Client) -> None:
    answer = three.get("symbols/XOM/history").json()
    assert [row["batch"] for row in answer["history"]] == [SECOND, FIRST]
    some = three.get("symbols/XOM/history", params={"from": "2026-11-24"}).json()
    assert (some["total"], some["history"][0]["symbols"]) == (1, 5)
    assert three.get("symbols/XOM/history", params={"to": "2026-10-31"}).json()["history"] == []
    assert three.get("symbols/NONE/history").status_code == 404


def test_exports(three: httpx.Client) -> None:
    answer = three.get("export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="grades-2026-11-25T060000.csv"'
    table = pl.read_csv(StringIO(answer.text))
    assert table["rank"].to_list() == [1, 2, 3, 4]
    days = three.get("export", params={"format": "parquet", "from": "2026-11-23", "to": "2026-11-24"})
    assert pl.read_parquet(BytesIO(days.content))["batch"].unique().sort().to_list() == [FIRST, SECOND]
    assert three.get("export", params={"batch": FIRST, "to": "2026-11-24"}).status_code == 422


def test_the_name_of_an_export_has_the_market(client: httpx.Client, data: Path, built: Path) -> None:
    shutil.copytree(built, data / "nyse")
    for days, name in ({}, "2026-11-25T060000"), ({"from": "2026-11-24"}, "2026-11-24-newest"):
        answer = client.get("export", params={"market": "nyse", **days})
        assert answer.headers["content-disposition"] == f'attachment; filename="grades-nyse-{name}.csv"'


def test_an_export_is_bounded(three: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 8)
    days = {"from": "2026-11-24"}
    refused = three.get("export", params=days)
    assert (refused.status_code, refused.json()["detail"][:7]) == (422, "9 rows,")
    assert three.get("export", params=days | {"to": "2026-11-24"}).status_code == 200


PATHS = ("grades", "grades/KO", "sparklines?symbols=KO", "batches", "symbols/KO", "symbols/KO/history")


@pytest.mark.parametrize("path", [*PATHS, "changes", "export", "export?format=parquet"])
def test_an_etag_saves_the_answer(three: httpx.Client, data: Path, path: str) -> None:
    etag = three.get(path).raise_for_status().headers["etag"]
    again = three.get(path, headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    show(three, data, THIRD, NEWCOMER, number=2)
    newer = three.get(path, headers={"If-None-Match": etag})
    assert (newer.status_code, newer.headers["etag"] != etag) == (200, True)


def test_the_etag_of_a_symbol_is_another_once_its_prices_are_gone(three: httpx.Client, data: Path) -> None:
    etag = three.get("symbols/KO").headers["etag"]
    next((data / "prices" / THIRD).glob("*/prices.parquet")).unlink()
    answer = three.get("symbols/KO", headers={"If-None-Match": etag}).raise_for_status()
    assert answer.json()["prices"] is None


def test_a_part_of_the_grades(three: httpx.Client) -> None:
    some = {"limit": 2, "offset": 1}
    whole = three.get("grades", params=some).json()["grades"]
    answer = three.get("grades", params=some | {"sparklines": False, "signals": False}).json()
    assert (answer["total"], [grade["rank"] for grade in answer["grades"]]) == (4, [2, 3])
    assert answer["grades"] == [{**grade, "sparkline": [], "signals": None} for grade in whole]
    assert all(grade["sparkline"] and grade["signals"] for grade in whole)
    lines = three.get("sparklines", params={"symbols": "ko, aapl,none"}).json()["sparklines"]
    assert {symbol: len(line) for symbol, line in lines.items()} == {"AAPL": 60, "KO": 60}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("symbols/NONE", 404, "no grade in batch"),
        ("symbols/KO?batch=2026-11-01T06:00:00", 404, "is not graded"),
        ("symbols/KO?batch=yesterday", 422, "query.batch: Value error, not a batch key"),
        ("changes?from=2026-11-01T06:00:00", 404, "is not graded"),
        ("batches?limit=0", 422, "query.limit"),
        ("export?format=xlsx", 422, "query.format"),
        ("nothing", 404, "Not Found"),
    ],
)
def test_errors_are_problems(three: httpx.Client, path: str, status: int, says: str) -> None:
    answer = three.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["type"], bool(problem["title"])) == (status, "about:blank", True)
    assert says in problem["detail"]


def test_without_any_batch(client: httpx.Client) -> None:
    assert client.get("batches").json()["batches"] == []
    for path in ("changes", "export", "symbols/KO"):
        assert "yet" in client.get(path).json()["detail"]


@pytest.mark.parametrize("path", ["batches", "changes", "symbols/AAPL/history"])
def test_an_offset_beyond_all_numbers_is_refused(three: httpx.Client, path: str) -> None:
    for offset, status in ((10**9, 200), (10**30, 422)):
        answer = three.get(path, params={"offset": offset})
        assert (answer.status_code, "offset" in answer.json()) == (status, status == 200)


def test_a_text_that_a_spreadsheet_would_compute_is_text_in_csv(client: httpx.Client, data: Path) -> None:
    signals = (0.1, 0.1, -0.1, 0.1)
    show(client, data, FIRST, {"=1+1": signals, "^GSPC": signals, "BRK-B": signals})
    lines = client.get("export").text.splitlines()[1:]
    assert {line.split(",")[1] for line in lines} == {"'=1+1", "^GSPC", "BRK-B"}
    assert ",-0.1," in lines[0]  # a number is a number
    whole = pl.read_parquet(BytesIO(client.get("export", params={"format": "parquet"}).content))
    assert set(whole["symbol"]) == {"=1+1", "^GSPC", "BRK-B"}


def test_one_export_at_a_time(three: httpx.Client) -> None:
    """Each takes memory that the API has once."""
    with exporting.MAKING:
        answer = three.get("export", params={"from": "2026-11-01"})
        assert (answer.status_code, "another export" in answer.json()["detail"]) == (429, True)
    assert three.get("export", params={"from": "2026-11-01"}).status_code == 200
    assert three.get("export", params={"batch": "2020-01-01T00:00:00"}).status_code == 404
    assert three.get("export").status_code == 200  # also after one that was refused


def test_the_etag_of_a_symbol_changes_with_what_is_behind_its_grade(three: httpx.Client, data: Path) -> None:
    before = three.get("symbols/AAPL")
    assert before.json()["prices"]
    asked = {"If-None-Match": before.headers["etag"]}
    assert three.get("symbols/AAPL", headers=asked).status_code == 304
    next((data / "prices" / THIRD).glob("*/prices.parquet")).unlink()
    after = three.get("symbols/AAPL", headers=asked)
    assert (after.status_code, after.json()["prices"]) == (200, None)


def test_a_wrong_method_names_the_right_one(three: httpx.Client) -> None:
    answer = three.delete("batches")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.headers["content-type"] == "application/problem+json"
