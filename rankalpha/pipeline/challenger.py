"""A challenger: a market's pipeline as a variant has it, beside the market's own, which is the champion."""

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from rankalpha.pipeline.market import STAGE_POOL, Market, dataset_of
from rankalpha.pipeline.promotion import merged, way_of
from rankalpha.pipeline.variant import Variant

if TYPE_CHECKING:  # the Docker proxy has no Airflow
    from airflow.sdk import Asset


class Challenger(Market):
    """The champion's market, but for what the variant does in its own way.

    It has DAGs and datasets of its own for its steps, and pools of its own. All else is the champion's:
    inputs, other datasets, volumes, schedule, calendar and profile.
    """

    champion: Market
    variant: str  # its name
    declared: Variant

    @classmethod
    def of(cls, market: Market, variant: str) -> "Challenger":
        """Return the challenger of a market that the variant of this name makes."""
        declared = market.variants[variant]
        fields = {**dict(market), **merged(dict(market), dict(declared)), "slots": declared.slots}
        return cls(**fields, champion=market, variant=variant, declared=declared)

    @property
    def own(self) -> str:
        """The name of its pools, and what the names of its DAGs and datasets begin with."""
        return f"{self.prefix}{self.variant}"

    @property
    def record(self) -> str:
        """The name of the record of its comparisons: it begins again once it or its champion changes."""
        ways = [way_of(dict(each)) for each in (self.champion, self)]
        return f"{self.variant}-{sha256(json.dumps(ways, sort_keys=True).encode()).hexdigest()[:8]}"

    @property
    def challenges(self) -> bool:
        """It does."""
        return True

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its DAGs, in addition to the tags of every market."""
        return (*super().tags, self.variant)

    @property
    def pool(self) -> str:
        """The pool of its stages."""
        return f"{STAGE_POOL}_{self.own}"

    def has(self, step: str) -> bool:
        """Return whether a step is its own."""
        return step in {own.name for own in self.declared.steps}

    def dag_id(self, step: str) -> str:
        """Return the id of its DAG of a step, such as `rankalpha_challenger_scoring`."""
        return f"rankalpha_{self.own}_{step}"

    def dataset_name(self, name: str) -> str:
        """Return the name of its own dataset, or the champion's; `name` is the default market's."""
        return f"{self.own}_{name}" if name in self.declared.writes else super().dataset_name(name)

    def plain(self, dataset: str) -> str:
        """Return the default market's name of a dataset, which is its own or the champion's."""
        return super().plain(dataset.removeprefix(f"{self.own}_"))

    def dataset(self, asset: "Asset") -> "Asset":
        """Return its own dataset, or the champion's; `asset` is the default market's."""
        if asset.name not in self.declared.writes:
            return super().dataset(asset)
        place = "/".join(filter(None, (self.folder, self.variant)))
        return dataset_of(f"{self.own}_", place, asset)

    def documented(self, text: str) -> str:
        """Return the documentation of its DAG; `text` is the default market's."""
        title, rest = super().documented(text).strip().split("\n", 1)
        note = (
            f"**Variant `{self.variant}`** of the pipeline, for a comparison: no batch waits for it, and "
            "nothing of it is shown or notified. The names and times below are the champion's."
        )
        return f"{title}\n\n{note}\n{rest}"


def challengers_of(market: Market) -> tuple[Challenger, ...]:
    """Return the challengers of a market."""
    return tuple(Challenger.of(market, variant) for variant in market.variants)
