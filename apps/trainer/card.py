"""card.json: what a person has to know of a model before it is used."""

import sys
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version

from pydantic import BaseModel

CARD = "card.json"
LIBRARIES = ("scikit-learn", "skops", "numpy", "polars")


class FoldCard(BaseModel):
    """A fold of the walk forward: its days, and mean rank ICs on them."""

    first: date
    last: date
    sessions: int
    ic: float
    formula_ic: float


class ChampionCard(BaseModel):
    """The champion on days that neither model was fitted to: its mean rank IC, and the new one's lead."""

    version: str
    sessions: int
    ic: float
    lead: float


class Card(BaseModel):
    """How a model was made, and how good it was on days that it was not fitted to.

    `data` has the SHA-256 of each file that it was made from. `t` is `ic` in standard errors. `formula_ic` is
    that of the scorer's formula on the same days. `shuffled_ic` is that of models fitted to the returns of
    other days, and `shuffled_z` by how many standard errors it is not 0. `champion` is left out without one,
    and while there are too few days that it does not know.
    """

    batch: str
    as_of: date
    model: str
    features: list[str]
    weights: Mapping[str, float]
    horizon: int
    seed: int
    libraries: Mapping[str, str]
    data: Mapping[str, str]
    rows: int
    symbols: int
    ic: float
    t: float
    formula_ic: float
    shuffled_ic: float
    shuffled_z: float
    folds: list[FoldCard]
    champion: ChampionCard | None = None


def libraries() -> Mapping[str, str]:
    """Return the versions of Python and of the libraries that a model is made with."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, **{name: version(name) for name in LIBRARIES}}
