"""The bundled history of 20 large US stocks, 1990 to 2022 (see apps/ingestion/sample/README.md)."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from apps.common.stage import BadConfig
from apps.ingestion.sources import Fetched, Missing

SAMPLE = Path(__file__).parent.parent / "sample" / "sp500_dataset.csv.gz"


class SampleSource:
    """Replays the sample; its last day stays the same whatever the day of the batch."""

    name = "sample"
    replayed = True
    state: str | None = None
    newest: date | None = None

    def __init__(self, symbols: Sequence[str] = ()) -> None:
        """Take all of the sample's symbols or the given ones; raise BadConfig for one it does not hold."""
        wide = pl.read_csv(SAMPLE, schema_overrides={"Date": pl.Date})
        held = wide.columns[1:]
        unknown = sorted(set(symbols) - set(held))
        if unknown:
            raise BadConfig(
                f"INGESTION_SYMBOLS: no {', '.join(unknown)} in the sample, only {', '.join(held)}"
            )
        self.symbols = sorted(symbols or held)
        self._prices = wide.unpivot(index="Date", variable_name="symbol", value_name="close").select(
            "symbol", pl.col("Date").alias("date"), "close"
        )

    def quiet_until(self, day: date, prices: pl.DataFrame, missing: Mapping[str, Missing]) -> date:  # noqa: ARG002
        """See `Source.quiet_until`."""
        return date.min

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:
        """See `Source.fetch`."""
        start = pl.col("symbol").replace_strict(since, default=date.min, return_dtype=pl.Date)
        return Fetched(self._prices.filter(pl.col("symbol").is_in(symbols), pl.col("date") >= start))
