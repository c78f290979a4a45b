"""The rows of the record, from the grades that were shown."""

from datetime import datetime

import polars as pl

from apps.api.records import Grade, GradesAnswer, Signals

PARTS = ("momentum", "value", "quality")
SIGNALS = tuple(Signals.model_fields)
FIGURES = ("composite", *PARTS, "score", "sentiment", "close", *(f"{name}_signal" for name in SIGNALS))
MOMENT = pl.Datetime("us", "UTC")

SCHEMA = pl.Schema(
    {
        "batch": pl.String(),
        "symbol": pl.String(),
        "name": pl.String(),
        "sector": pl.String(),
        "peers": pl.String(),
        "rank": pl.Int32(),
        "grade": pl.String(),
        **dict.fromkeys(FIGURES, pl.Float64()),
        "headlines": pl.Int32(),
        "sentiment_weight": pl.Float64(),
        "as_of": pl.Date(),
        "last_day": pl.Date(),
        "sessions_behind": pl.Int32(),
        "session": pl.Date(),
        "version": pl.String(),
        "graded_at": MOMENT,
        "shown_at": MOMENT,
    }
)


def rows_of(grades: GradesAnswer, version: str | None, shown_at: datetime) -> pl.DataFrame:
    """Return a row for each grade, with the columns of SCHEMA."""
    about = {
        "batch": grades.batch,
        "sentiment_weight": grades.sentiment_weight,
        "as_of": grades.as_of,
        "session": grades.session.newest if grades.session else None,
        "version": version,
        "graded_at": grades.graded_at,
        "shown_at": shown_at,
    }
    return pl.DataFrame([_row(grade) | about for grade in grades.grades], SCHEMA, infer_schema_length=None)


def _row(grade: Grade) -> dict[str, object]:
    signals = {f"{name}_signal": getattr(grade.signals, name, None) for name in SIGNALS}
    row = {name: getattr(grade, name) for name in SCHEMA if name in Grade.model_fields}
    if grade.close is None and grade.sparkline:  # grades from before closes were kept
        row["close"] = grade.sparkline[-1]
    return row | signals
