"""Batches on disk, for the tests of the services."""

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[4]
KEY = "2026-11-22T06:00:00"
AS_OF = date(2026, 11, 20)
SCREENERS = {"trend": "momentum", "breakout": "momentum", "bargain": "value", "profit": "quality"}
ON_LISTS = {
    "AAPL": ["trend", "breakout", "bargain"],
    "MSFT": ["trend", "breakout", "profit"],
    "WMT": ["trend", "bargain"],
    "KO": ["trend", "breakout"],
    "PFE": ["bargain"],
}


def write_appearances(data: Path, key: str = KEY, on_lists: dict[str, list[str]] | None = None) -> Path:
    """Write a batch's appearances.json."""
    path = data / "prices" / key / "appearances.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"symbol": symbol, "screener": screener, "style": SCREENERS[screener]}
        for symbol, screeners in (ON_LISTS if on_lists is None else on_lists).items()
        for screener in screeners
    ]
    path.write_text(json.dumps({"as_of": AS_OF.isoformat(), "appearances": rows}))
    return path


def write_prices(data: Path, symbols: list[str], key: str = KEY, days: int = 80) -> Path:
    """Write a batch's prices.parquet; the close on day i of symbol number s is 100 * s + i."""
    path = data / "prices" / key / "prices.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        (symbol, AS_OF - timedelta(days=days - 1 - day), 100.0 * number + day)
        for number, symbol in enumerate(symbols, start=1)
        for day in range(days)
    ]
    pl.DataFrame(rows, schema=["symbol", "date", "close"], orient="row").write_parquet(path)
    return path


def write_scores(data: Path, scores: dict[str, float | None], key: str = KEY) -> Path:
    """Write a batch's scores.parquet, all three percentiles equal to the score."""
    path = data / "prices" / key / "scores.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(symbol, score, score, score, score, AS_OF) for symbol, score in scores.items()]
    names = ("momentum", "value", "quality", "score")
    schema = {"symbol": pl.String, **dict.fromkeys(names, pl.Float64), "as_of": pl.Date}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    return path


def write_sentiment(data: Path, sentiment: dict[str, float | None], key: str = KEY) -> Path:
    """Write a batch's sentiment.json."""
    path = data / "company_reports" / key / "sentiment.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"symbol": symbol, "sentiment": value, "headlines": 0 if value is None else 3, "model": "vader"}
        | {"analysed": key[:10], "appearances": 2, "styles": 1, "reused": False}
        for symbol, value in sentiment.items()
    ]
    path.write_text(json.dumps({"as_of": AS_OF.isoformat(), "symbols": rows}))
    return path


def read_sentiment(data: Path, key: str = KEY) -> dict[str, dict[str, object]]:
    """Return a batch's written entries by symbol, in the file's order."""
    report = json.loads((data / "company_reports" / key / "sentiment.json").read_text())
    return {entry["symbol"]: entry for entry in report["symbols"]}
