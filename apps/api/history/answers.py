"""What the API answers about the record of grades, and about one symbol."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from apps.api.records import Signals


class Page(BaseModel):
    """A part of a list."""

    total: int  # in the whole list
    limit: int
    offset: int


class BatchLine(BaseModel):
    """A batch of the record."""

    batch: str
    as_of: date
    session: date | None  # the newest one when it was graded; null for a market without a calendar
    graded_at: datetime
    symbols: int
    distribution: dict[str, int]
    version: str | None  # path of the version of grades; null for a batch without versions
    kept: bool  # whether the batch's own files are still there, and not the record alone


class BatchesAnswer(Page):
    """Batches, newest first."""

    batches: list[BatchLine]


class HistoryRow(BaseModel):
    """A symbol's grade in a batch, as the record has it."""

    batch: str
    as_of: date
    session: date | None
    graded_at: datetime
    version: str | None
    rank: int
    symbols: int  # that were ranked
    grade: str
    composite: float
    momentum: float | None
    value: float | None
    quality: float | None
    score: float
    sentiment: float | None
    signals: Signals
    close: float | None


class HistoryAnswer(Page):
    """A symbol's grades, newest first."""

    symbol: str
    name: str | None
    sector: str | None
    history: list[HistoryRow]


class Place(BaseModel):
    """Where a symbol stands in one of two batches."""

    rank: int
    grade: str
    composite: float


class Split(BaseModel):
    """What a move is made of, in points of the composite; the parts add up to the move."""

    momentum: float
    value: float
    quality: float
    sentiment: float
    universe: float  # other symbols have come or gone
    other: float  # what the parts of the scorer do not explain; 0 for the reference scorer


class Change(BaseModel):
    """A symbol's move from one batch to another."""

    symbol: str
    name: str | None
    sector: str | None
    status: Literal["stayed", "entered", "left"]
    before: Place | None  # in `from`; null for a symbol that entered
    after: Place | None  # in `to`; null for a symbol that left
    rank_change: int | None  # 2: two places better
    move: float | None  # of the composite
    parts: Split | None


class ChangesAnswer(Page):
    """The moves from one batch to another, the largest first; then who entered and who left."""

    from_: str = Field(serialization_alias="from")
    to: str
    changes: list[Change]


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
