"""What each part adds to a composite, or takes from it: 50 and the contributions add up to the composite.

The composite is (1 - w) * score + w * sentiment, and the reference scorer's score is the mean of the
percentiles that are present. So each of these n parts has the weight (1 - w) / n, and contributes its weight
times its distance from 50.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from apps.api.grading import NEUTRAL
from apps.api.history.rows import PARTS
from apps.api.history.symbol_answers import Part, Why

ALL = (*PARTS, "sentiment", "other")
ROUNDING = 0.02  # a composite is rounded to hundredths; a larger rest is of a scorer with other parts

SENTIMENT_POINTS = (pl.col("sentiment") + 1) * 50


def weights() -> dict[str, pl.Expr]:
    """Return the weight of each part of the score; 0 for one that is not known."""
    present = pl.sum_horizontal(pl.col(part).is_not_null() for part in PARTS)
    share = (1 - pl.col("sentiment_weight")) / present
    return {part: pl.when(pl.col(part).is_not_null()).then(share).otherwise(0.0) for part in PARTS}


def contributions(prefix: str = "by_") -> list[pl.Expr]:
    """Return the columns by_momentum, by_value, by_quality, by_sentiment and by_other, not rounded."""
    shares = weights()
    parts = {part: (shares[part] * (pl.col(part) - NEUTRAL)).fill_null(0.0) for part in PARTS}
    parts["sentiment"] = (pl.col("sentiment_weight") * (SENTIMENT_POINTS - NEUTRAL)).fill_null(0.0)
    rest = pl.col("composite") - NEUTRAL - pl.sum_horizontal(parts.values())
    parts["other"] = pl.when(rest.abs() > ROUNDING).then(rest).otherwise(0.0)
    return [parts[part].alias(f"{prefix}{part}") for part in ALL]


def rounded(total: pl.Expr, columns: list[str]) -> list[pl.Expr]:
    """Return the columns in hundredths that add up to `total`: the largest takes what rounding has left."""
    hundredths = [pl.col(name).round(2) for name in columns]
    rest = (total.round(2) - pl.sum_horizontal(hundredths)).round(2)
    largest = pl.max_horizontal(column.abs() for column in hundredths)
    adjusted, taken = [], pl.lit(value=False)
    for name, column in zip(columns, hundredths, strict=True):
        takes = ~taken & (column.abs() == largest)
        adjusted.append(pl.when(takes).then((column + rest).round(2)).otherwise(column).alias(name))
        taken = taken | takes
    return adjusted


# made once, because a question about one symbol takes as long as to make them
PARTED = (*contributions(), *(weight.alias(f"weight_{part}") for part, weight in weights().items()))
ROUNDED = rounded(pl.col("composite") - NEUTRAL, [f"by_{part}" for part in ALL])


def why(row: pl.DataFrame) -> Why:
    """Return why the one grade in a frame is what it is."""
    found = row.with_columns(PARTED).with_columns(ROUNDED).row(0, named=True)
    parts = [_part(part, found) for part in ALL if part != "other" or found["by_other"]]
    known = [part for part in parts if part.contribution]
    most = sorted(known, key=lambda part: -abs(part.contribution))
    said = ", ".join(f"{part.part} {part.contribution:+.2f}" for part in most) or "no part differs"
    return Why(
        base=NEUTRAL,
        composite=found["composite"],
        parts=parts,
        text=f"{NEUTRAL:.0f} is neutral; {said}: composite {found['composite']:.2f}",
    )


def _part(part: str, row: Mapping[str, Any]) -> Part:
    percentile = row.get(part)
    weight = row.get(f"weight_{part}", 0.0)
    if part == "sentiment":
        weight = row["sentiment_weight"]
        percentile = None if percentile is None else round((percentile + 1) * 50, 2)
    return Part.model_validate(
        {
            "part": part,
            "percentile": percentile,
            "weight": round(weight, 4),
            "contribution": row[f"by_{part}"],
            "text": _words(part, percentile, row),
        }
    )


def _words(part: str, percentile: float | None, row: Mapping[str, Any]) -> str:
    if part == "other":
        return "what the scorer adds beyond these parts"
    if part == "sentiment":
        if percentile is None:
            return "no headlines were rated, so that it counts as neutral"
        number = row["headlines"] or 0
        return f"the headlines ({number}) are rated {row['sentiment']:+.2f}, from -1 to 1"
    if percentile is None:
        return "the history is too short, so that it does not count"
    among = f"the sector {row['peers']}" if row["peers"] else "all"
    return f"{_measured(part, row)}percentile {percentile:.0f} among {among}"


def _measured(part: str, row: Mapping[str, Any]) -> str:
    """Return the raw signal in words; an empty text where the scorer does not report it."""
    if part == "momentum" and (raw := row["momentum_signal"]) is not None:
        return f"12-month return without the last month {raw:+.1%}: "
    if part == "value" and (raw := row["value_signal"]) is not None:
        return f"return from five years to one year ago {-raw:+.1%}, the lower the better: "
    if part == "quality" and row["downside_safety_signal"] is not None:
        trend = row["trend_stability_signal"]
        stable = "" if trend is None else f", steadiness of the trend {trend:+.2f}"
        return f"daily downside deviation {-row['downside_safety_signal']:.2%}{stable}: "
    return ""
