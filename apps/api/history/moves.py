"""Moves from one batch to another, each split into its parts.

What a part has added is known for both batches. Of that difference, `universe` is what other symbols have
caused that came or went: each percentile is taken again among the symbols that both batches have.
"""

import polars as pl

from apps.api.history.contributions import contributions, rounded, weights
from apps.api.history.rows import PARTS
from apps.scorer.ranking import percentile

SPLIT = ("momentum", "value", "quality", "sentiment", "universe", "other")
PLACE = ("rank", "grade", "composite")


def moves(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each symbol: the largest move first, then who entered, then who left."""
    both = before.join(after, on="symbol", how="semi")["symbol"]
    old, new = (_parted(frame, both) for frame in (before, after))
    joined = new.join(old, on="symbol", how="full", suffix="_before", coalesce=True)
    move = (pl.col("composite") - pl.col("composite_before")).round(2).alias("move")
    parts = joined.with_columns(move, *_differences())
    parts = parts.with_columns(rounded(pl.col("move"), list(SPLIT)))
    order = [pl.col("move").abs().fill_null(-1), pl.col("rank").is_not_null(), pl.col("symbol")]
    return parts.sort(order, descending=[True, True, False]).select(_columns())


def _parted(frame: pl.DataFrame, both: pl.Series) -> pl.DataFrame:
    """Add what each part contributes, and how much of it other symbols than `both` have caused."""
    if frame.height == len(both):
        return frame.with_columns(*contributions(), *(pl.lit(0.0).alias(f"others_{part}") for part in PARTS))
    peers = [] if frame["peers"].null_count() == frame.height else ["peers"]
    stays = pl.col("symbol").is_in(both.to_list())
    shares, caused = weights(), []
    for part in PARTS:
        among_all = _percentile(pl.col(part), peers)
        among_both = _percentile(pl.when(stays).then(pl.col(part)), peers)
        caused.append((shares[part] * (among_all - among_both)).fill_null(0.0).alias(f"others_{part}"))
    return frame.with_columns(*contributions(), *caused)


def _percentile(values: pl.Expr, peers: list[str]) -> pl.Expr:
    """Return the scorer's percentile, among the same peers if there are any."""
    return percentile(values).over(peers) if peers else percentile(values)


def _differences() -> list[pl.Expr]:
    def gained(name: str) -> pl.Expr:
        return pl.col(name) - pl.col(f"{name}_before")

    own = [(gained(f"by_{part}") - gained(f"others_{part}")).alias(part) for part in PARTS]
    universe = pl.sum_horizontal(gained(f"others_{part}") for part in PARTS).alias("universe")
    return [*own, gained("by_sentiment").alias("sentiment"), universe, gained("by_other").alias("other")]


def _columns() -> list[pl.Expr]:
    """Return the fields of `apps.api.history.answers.Change`."""
    after, before = pl.col("rank").is_not_null(), pl.col("rank_before").is_not_null()
    stayed = after & before
    status = pl.when(stayed).then(pl.lit("stayed")).when(after).then(pl.lit("entered"))
    named = [
        pl.when(after).then(pl.col(name)).otherwise(pl.col(f"{name}_before")).alias(name)
        for name in ("name", "sector")
    ]
    places = [
        pl.when(there).then(pl.struct(pl.col(f"{name}{suffix}").alias(name) for name in PLACE)).alias(alias)
        for there, suffix, alias in ((before, "_before", "before"), (after, "", "after"))
    ]
    return [
        pl.col("symbol"),
        *named,
        status.otherwise(pl.lit("left")).alias("status"),
        *places,
        (pl.col("rank_before") - pl.col("rank")).alias("rank_change"),
        pl.col("move"),
        pl.when(stayed).then(pl.struct(SPLIT)).alias("parts"),
    ]
