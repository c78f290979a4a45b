"""A file of grades: its schema, and reading and writing it."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from apps.common.files import write_atomic
from apps.common.stage import BadData

LETTERS = "ABCDF"
NEWER = ("close", "name", "sector", "peers", "signals")  # fields of a grade that older files lack


class Signals(BaseModel):
    """What the scorer has measured of a symbol, before it was ranked; null without enough history."""

    momentum: float | None = None  # 12-month return without the last month
    value: float | None = None  # negative return from five years to one year ago
    downside_safety: float | None = None  # negative semi-deviation of a year's daily returns
    trend_stability: float | None = None  # R^2 of the line through a year's log closes, signed by its slope


class Grade(BaseModel):
    """One symbol's place in a batch."""

    symbol: str
    rank: int  # 1 is best
    grade: str  # A, B, C, D or F
    composite: float  # 0..100
    momentum: float | None  # percentile 0..100; None when not computable
    value: float | None
    quality: float | None
    score: float  # mean of the percentiles that are present
    sentiment: float | None  # -1..1; None when not analysed or without headlines: neutral in the composite
    headlines: int
    sparkline: list[float]  # last closes, oldest first
    last_day: date | None = None  # of its newest close; None: the scorer does not say it
    sessions_behind: int | None = None  # sessions from then to as_of; None: not known, as without a calendar
    close: float | None = None  # the newest one
    name: str | None = None  # of universe.csv, as is the sector
    sector: str | None = None
    peers: str | None = None  # the sector within which it was ranked; None: among all symbols
    signals: Signals | None = None  # None: the scorer does not report them


class Session(BaseModel):
    """What the orchestrator knows of the exchange's sessions when the batch is graded."""

    newest: date  # the last one that had closed at the batch's moment
    behind: int = Field(ge=0)  # how many sessions the prices lack up to that one
    next_close: AwareDatetime | None = None  # afterwards a newer session has closed


class Grades(BaseModel):
    """The grades of one batch, best first."""

    batch: str
    as_of: date
    sentiment_weight: float
    grades: list[Grade]
    ungraded: list[str]  # symbols without any score
    session: Session | None = None  # None for a market without a calendar
    carried_over_from: str | None = None  # the earlier batch that had the same inputs and grades
    notice: str | None = None  # what a reader must know about the prices, such as that they are the sample's

    @property
    def distribution(self) -> dict[str, int]:
        """Number of symbols with each letter, A to F, zeros included."""
        counts = Counter(grade.grade for grade in self.grades)
        return {letter: counts[letter] for letter in LETTERS}

    @property
    def content(self) -> str:
        """SHA-256 of what the grades say, whichever batch they are of."""
        about = dict.fromkeys(("batch", "graded_at", "session", "carried_over_from", "total"), True)
        return sha256(self.model_dump_json(exclude={**about, **self._unsaid()}).encode()).hexdigest()

    def carried_over(self, earlier: Mapping[str, str]) -> Self:
        """Return the grades with the batch that had the same, of those that `earlier` has by content."""
        return self.model_copy(update={"carried_over_from": earlier.get(self.content) if earlier else None})

    def text(self) -> str:
        """Return the content of the file; the same grades give the same bytes."""
        unknown = {name for name in ("session", "carried_over_from") if getattr(self, name) is None}
        return (
            self.model_dump_json(indent=1, exclude={**dict.fromkeys(unknown, True), **self._unsaid()}) + "\n"
        )

    def _unsaid(self) -> dict[str, Any]:
        """Return the newer fields that no grade has, so that older grades keep their bytes."""
        unsaid = {name for name in NEWER if all(getattr(grade, name) is None for grade in self.grades)}
        return {"grades": {"__all__": unsaid}} if unsaid else {}


class GradesAnswer(Grades):
    """What the API answers: the file and its time, which is not in the file so that its bytes can repeat."""

    graded_at: datetime  # UTC
    total: int | None = None  # of the batch's grades, of which the answer may hold a part


def write_grades(path: Path, grades: Grades) -> None:
    """Write the file atomically."""
    write_atomic(path, lambda file: file.write_text(grades.text(), encoding="utf-8"))


def read_grades(path: Path) -> GradesAnswer:
    """Read the file. Raises BadData when it is corrupt."""
    try:
        grades = Grades.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadData(f"{path} is not a file of grades: refresh the grades of this batch") from error
    graded_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return GradesAnswer(graded_at=graded_at, **dict(grades))  # the grades themselves: they are checked
