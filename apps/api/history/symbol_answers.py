"""What the API answers about one symbol in a batch."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from apps.api.history.answers import Place
from apps.api.records import Signals


class Part(BaseModel):
    """A part of the composite."""

    part: Literal["momentum", "value", "quality", "sentiment", "other"]  # other: of a scorer with more parts
    percentile: float | None  # 0..100; of the sentiment (1 + sentiment) * 50; null: not known
    weight: float  # share in the composite; 0 for a part that is not known
    contribution: float  # points above or below the neutral 50
    text: str  # the same in words


class Why(BaseModel):
    """Why a grade is what it is: base and contributions add up to the composite."""

    base: float  # the neutral 50
    composite: float
    parts: list[Part]
    text: str


class Headline(BaseModel):
    """A headline behind the sentiment."""

    title: str
    sentiment: float | None  # -1..1; null where the model rates a symbol's headlines together


class Close(BaseModel):
    """A close of the chart."""

    date: date
    close: float


class SymbolAnswer(BaseModel):
    """All about a symbol in a batch; what is not known is null, and `missing` says why."""

    symbol: str
    name: str | None
    sector: str | None
    batch: str
    as_of: date
    session: date | None
    graded_at: datetime
    version: str | None
    rank: int
    symbols: int
    grade: str
    composite: float
    score: float
    sentiment: float | None
    peers: str | None  # the sector within which it was ranked; null: among all symbols
    why: Why
    signals: Signals
    close: float | None
    last_day: date | None
    sessions_behind: int | None
    before: Place | None  # in the batch before
    before_batch: str | None
    headlines: list[Headline] | None
    prices: list[Close] | None  # oldest first
    missing: list[str]


class SparklinesAnswer(BaseModel):
    """The last closes of symbols, oldest first."""

    batch: str
    sparklines: dict[str, list[float]]
