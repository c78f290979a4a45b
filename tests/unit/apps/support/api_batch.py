"""A batch of four stocks for the tests of the grading API."""

from pathlib import Path

from apps.common.manifest import Reference, seal
from tests.unit.apps.support.batch_files import write_prices, write_scores, write_sentiment

REFRESH = "/api/v1/grading/refresh"
PUBLISH = "/api/v1/grading/publish"
VERIFY = "/api/v1/verify"
GRADES = "/api/v1/grading/grades"
NEWER = "2026-11-23T06:00:00"
SCORES: dict[str, float | None] = {"AAPL": 80.0, "KO": 60.0, "PG": 40.0, "XOM": 20.0}


def write_batch(root: Path, key: str) -> None:
    write_scores(root, SCORES, key)
    write_sentiment(root, {"AAPL": 0.5}, key)
    write_prices(root, list(SCORES), key)


def seal_batch(root: Path, key: str, number: int = 1, *, known: bool = True) -> dict[str, dict[str, str]]:
    """Move what the batch has into versions, as the stages leave them; return what a request names.

    Unless it is `known`, the halves do not say from which prices they were made.
    """
    prices, reports = root / "prices" / key, root / "company_reports" / key
    made: dict[str, Reference] = {}
    for dataset, stage, file in (
        ("prices", "ingestion", prices / "prices.parquet"),
        ("scores", "scorer", prices / "scores.parquet"),
        ("sentiment", "sentiment", reports / "sentiment.json"),
    ):
        folder = file.parent / f"{stage}-0a1b2c3d-{number}"
        folder.mkdir()
        file.rename(folder / file.name)
        if (universe := prices / "universe.csv").is_file():  # it comes with the prices
            universe.rename(folder / universe.name)
        inputs = {} if dataset == "prices" or not known else {"prices": made["prices"]}
        version = seal(folder, str(folder.relative_to(root)), stage, inputs)
        made[dataset] = Reference(path=version.path, sha256=version.sha256)
    return {name: made[name].model_dump() for name in ("scores", "sentiment")}
