"""The form of an evaluation, the file evaluation.json.

Returns are simple and not annualised, shares are 0 to 1, and None is what is not known.
"""

from datetime import date

from pydantic import BaseModel


class Period(BaseModel):
    """A month or a year of gradings."""

    period: str
    sessions: int
    ic: float | None
    spread: float | None


class Measures(BaseModel):
    """What a figure was worth over one horizon; see docs/explain/record.md for what each means."""

    sessions: int  # gradings whose returns are in and that have a rank IC
    periods: int  # of them that do not overlap
    ic: float | None
    t: float | None
    low: float | None
    high: float | None
    hit_rate: float | None
    later_ic: float | None
    returns: dict[str, float | None]  # by letter
    spread: float | None
    spread_t: float | None
    turnover: float | None
    coverage: float | None
    by_period: list[Period]


class Part(BaseModel):
    """One of the two records; they are never mixed."""

    first: date | None  # session of the first grading, whether its returns are in or not
    last: date | None
    gradings: int
    every: int | None  # sessions between two gradings; None: as they were published
    limits: list[str]  # what it cannot know
    figures: dict[str, dict[str, Measures]]  # by name of the figure, then by horizon


class Evaluation(BaseModel):
    """The file evaluation.json."""

    batch: str
    as_of: date
    symbols: int
    horizons: list[int]
    live: Part
    backtest: Part
