"""Promotions: a variant's way becomes its market's, on record in the market's table, and back.

A market's way is its `images`, `settings` and `sentiment_weight`. All of this works on the tables of the
file of the markets as `tomllib` reads them; `rankalpha.pipeline.markets_file` writes it.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

WAY = ("images", "settings", "sentiment_weight")
Table = dict[str, Any]


class PromotionError(Exception):
    """A promotion cannot be undone; the message says why."""


class Promotion(BaseModel):
    """A table `[[<market>.promotions]]`: `variant` was promoted, or the promotion of `undoes` was undone.

    A promotion has the market's way `before` and `after` it, and the variant's own table as `declared`. What
    these hold is checked when it is put back.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    at: datetime  # in UTC
    by: str
    reason: str
    variant: str | None = None
    undoes: str | None = None
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    declared: dict[str, Any] = {}


def merged(champion: Mapping[str, Any], variant: Mapping[str, Any]) -> Table:
    """Return the champion's way with what a variant does in another way, key by key."""
    own, others = (each.get("settings") or {} for each in (variant, champion))
    weight = variant.get("sentiment_weight")
    return {
        "images": {**(champion.get("images") or {}), **(variant.get("images") or {})},
        "settings": {stage: {**others.get(stage, {}), **own.get(stage, {})} for stage in {**others, **own}},
        "sentiment_weight": champion.get("sentiment_weight") if weight is None else weight,
    }


def way_of(table: Mapping[str, Any]) -> Table:
    """Return the way of a market's table, without what is empty."""
    return {key: deepcopy(table[key]) for key in WAY if table.get(key) not in (None, {})}


def promoted(table: Mapping[str, Any], variant: str, images: Mapping[str, str], record: Table) -> Table:
    """Return a market's table in which the way of a variant is its own; `images` are what its stages ran."""
    declared = table["variants"][variant]
    before, after = way_of(table), way_of(merged(table, {**declared, "images": images}))
    parts = {"before": before, "after": after, "declared": deepcopy(declared)}
    return _with(table, after, _without(table, variant), {"variant": variant, **record, **parts})


def undone(table: Mapping[str, Any], record: Table) -> Table:
    """Return a market's table as before its newest promotion that is not undone; raises PromotionError."""
    standing = _standing(table)
    if not standing:
        raise PromotionError("no promotion is left to undo")
    last = standing[-1]
    variant, variants = last["variant"], table.get("variants", {})
    if changed := [key for key, _, _ in changes(last.get("after", {}), way_of(table))]:
        raise PromotionError(
            f"{', '.join(changed)}: changed since variant {variant} was promoted; change it back first"
        )
    if variant in variants:
        raise PromotionError(f"it has a variant {variant} again; rename or remove that first")
    variants = {**variants, variant: last.get("declared", {})}
    return _with(table, last.get("before", {}), variants, {"undoes": variant, **record})


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each key of two ways that differs, such as `images.scorer`, with both values; None: not set."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _standing(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the promotions that are not undone, oldest first: each undoing is of the newest of them."""
    found: list[Mapping[str, Any]] = []
    for record in table.get("promotions", ()):
        if record.get("variant"):
            found.append(record)
        elif found:
            found.pop()
    return found


def _with(table: Mapping[str, Any], way: Table, variants: Table, record: Table) -> Table:
    rest = {key: value for key, value in table.items() if key not in (*WAY, "variants", "promotions")}
    own = {**way, **({"variants": variants} if variants else {})}
    return {**rest, **own, "promotions": [*table.get("promotions", ()), record]}


def _without(table: Mapping[str, Any], variant: str) -> Table:
    return {name: declared for name, declared in table["variants"].items() if name != variant}


def _leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
