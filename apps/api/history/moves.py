"""Moves from one batch to another, each split into its parts.

What a part has added is known for both batches. Of that difference, `universe` is what other symbols have
caused that came or went: each percentile is taken again among the symbols that both batches have.
"""

import polars as pl

from apps.api.history.answers import Change, Place, Split
from apps.api.history.contributions import contributions, rounded, weights
from apps.api.history.rows import PARTS

SPLIT = ("momentum", "value", "quality", "sentiment", "universe", "other")
PLACE = ("rank", "grade", "composite")


def moves(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each symbol: the largest move first, then who entered, then who left."""
    both = set(before["symbol"]) & set(after["symbol"])
    old, new = (_parted(frame, both) for frame in (before, after))
    joined = new.join(old, on="symbol", how="full", suffix="_before", coalesce=True)
    move = (pl.col("composite") - pl.col("composite_before")).round(2).alias("move")
    parts = joined.with_columns(move, *_differences())
    parts = parts.with_columns(rounded(pl.col("move"), list(SPLIT)))
    order = [pl.col("move").abs().fill_null(-1), pl.col("rank").is_not_null(), pl.col("symbol")]
    return parts.sort(order, descending=[True, True, False])


def changes_of(rows: pl.DataFrame) -> list[Change]:
    """Return the changes that some rows of `moves` are."""
    return [_change(row) for row in rows.iter_rows(named=True)]


def _parted(frame: pl.DataFrame, both: set[str]) -> pl.DataFrame:
    """Add what each part contributes, and how much of it other symbols than `both` have caused."""
    peers = pl.col("peers").fill_null("")
    stays = pl.col("symbol").is_in(list(both))
    shares = weights()
    caused = []
    for part in PARTS:
        among_all = _percentile(pl.col(part)).over(peers)
        among_both = _percentile(pl.when(stays).then(pl.col(part))).over(peers)
        caused.append((shares[part] * (among_all - among_both)).fill_null(0.0).alias(f"others_{part}"))
    return frame.with_columns(*contributions(), *caused)


def _percentile(values: pl.Expr) -> pl.Expr:
    """Return what the scorer calls a percentile, see `apps.scorer.ranking`."""
    return (values.rank("average") - 0.5) / values.count() * 100


def _differences() -> list[pl.Expr]:
    def gained(name: str) -> pl.Expr:
        return pl.col(name) - pl.col(f"{name}_before")

    own = [(gained(f"by_{part}") - gained(f"others_{part}")).alias(part) for part in PARTS]
    universe = pl.sum_horizontal(gained(f"others_{part}") for part in PARTS).alias("universe")
    return [*own, gained("by_sentiment").alias("sentiment"), universe, gained("by_other").alias("other")]


def _change(row: dict[str, object]) -> Change:
    after, before = (_place(row, suffix) for suffix in ("", "_before"))
    stayed = after is not None and before is not None
    newest = "" if after else "_before"
    return Change(
        symbol=str(row["symbol"]),
        name=row[f"name{newest}"],  # type: ignore[arg-type]
        sector=row[f"sector{newest}"],  # type: ignore[arg-type]
        status="stayed" if stayed else "entered" if after else "left",
        before=before,
        after=after,
        rank_change=before.rank - after.rank if before and after else None,
        move=row["move"] if stayed else None,  # type: ignore[arg-type]
        parts=Split.model_validate({name: row[name] for name in SPLIT}) if stayed else None,
    )


def _place(row: dict[str, object], suffix: str) -> Place | None:
    if row[f"rank{suffix}"] is None:
        return None
    return Place.model_validate({name: row[f"{name}{suffix}"] for name in PLACE})
