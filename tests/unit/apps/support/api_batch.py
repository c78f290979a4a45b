"""A batch of four stocks for the tests of the grading API."""

from pathlib import Path

from tests.unit.apps.support.batch_files import write_prices, write_scores, write_sentiment

REFRESH = "/api/v1/grading/refresh"
GRADES = "/api/v1/grading/grades"
NEWER = "2026-11-23T06:00:00"
SCORES: dict[str, float | None] = {"AAPL": 80.0, "KO": 60.0, "PG": 40.0, "XOM": 20.0}


def write_batch(root: Path, key: str) -> None:
    write_scores(root, SCORES, key)
    write_sentiment(root, {"AAPL": 0.5}, key)
    write_prices(root, list(SCORES), key)
