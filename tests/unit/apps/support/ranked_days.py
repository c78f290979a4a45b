"""Batches day by day whose grades are shown, as the scorer and the API make them."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import polars as pl

from apps.api import publishing
from apps.api.history.folder import folder_of
from apps.api.history.record import COMPLETE, catch_up
from apps.common.compared import marks
from apps.scorer.features import FEATURES
from apps.scorer.ranking import ranked
from tests.support.waiting import wait_for
from tests.unit.apps.support.api_batch import seal_batch
from tests.unit.apps.support.batch_files import AS_OF, write_prices, write_sentiment
from tests.unit.apps.support.graded_versions import NAME

Signals = Mapping[str, tuple[float | None, ...]]

FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00" for day in (23, 24, 25))
SIGNALS = {
    "AAPL": (0.4, 0.1, -0.01, 0.9),
    "KO": (0.1, 0.3, -0.02, 0.2),
    "PG": (0.2, None, -0.03, 0.1),
    "XOM": (-0.1, 0.2, -0.015, -0.4),
}
NEWCOMER = SIGNALS | {"NEW": (0.3, 0.25, -0.012, 0.5)}


def write_scored(data: Path, key: str, signals: Signals) -> None:
    """Write a batch's scores.parquet from raw signals, as the scorer does."""
    schema = {"symbol": pl.String, **dict.fromkeys(FEATURES, pl.Float64)}
    rows = [(symbol, *values) for symbol, values in signals.items()]
    raw = pl.DataFrame(rows, schema, orient="row")
    named = raw.select("symbol", *(pl.col(name).alias(f"{name}_signal") for name in FEATURES))
    scores = ranked(raw).with_columns(as_of=pl.lit(AS_OF)).join(named, on="symbol", maintain_order="left")
    path = data / "prices" / key / "scores.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    scores.write_parquet(path)


def show(
    client: httpx.Client,
    data: Path,
    key: str,
    signals: Signals | None = None,
    sentiment: Mapping[str, float | None] | None = None,
    number: int = 1,
    *,
    settled: bool = True,
) -> dict[str, object]:
    """Make a batch's versions, grade them, and have the grades shown; return the answer.

    If `settled`, what the API does after its answer is over, too.
    """
    before = marks(folder_of(data) / COMPLETE)
    signals = SIGNALS if signals is None else signals
    write_scored(data, key, signals)
    write_sentiment(data, dict(sentiment or {}), key)
    write_prices(data, list(signals), key)
    body = {"batch": key, "version": f"{NAME[:-1]}{number}", "inputs": seal_batch(data, key, number)}
    made = client.post("refresh", json=body).raise_for_status().json()["version"]
    version = {name: made[name] for name in ("path", "sha256")}
    answer = client.post("publish", json={"batch": key, "version": version}).raise_for_status().json()
    if settled and publishing.catch_up is catch_up:  # a test can leave it out
        wait_for("older batches are recorded", lambda: marks(folder_of(data) / COMPLETE) != before)
    return answer
