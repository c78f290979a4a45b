"""A file of grades: its schema, and reading and writing it."""

from collections import Counter
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ValidationError

from apps.common.files import write_atomic
from apps.common.stage import BadData

LETTERS = "ABCDF"


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


class Grades(BaseModel):
    """The grades of one batch, best first."""

    batch: str
    as_of: date
    sentiment_weight: float
    grades: list[Grade]
    ungraded: list[str]  # symbols without any score

    @property
    def distribution(self) -> dict[str, int]:
        """Number of symbols with each letter, A to F, zeros included."""
        counts = Counter(grade.grade for grade in self.grades)
        return {letter: counts[letter] for letter in LETTERS}

    @property
    def content(self) -> str:
        """SHA-256 of what the grades say, whichever batch they are of."""
        return sha256(self.model_dump_json(exclude={"batch", "graded_at"}).encode()).hexdigest()

    def text(self) -> str:
        """Return the content of the file; the same grades give the same bytes."""
        return self.model_dump_json(indent=1) + "\n"


class GradesAnswer(Grades):
    """What the API answers: the file and its time, which is not in the file so that its bytes can repeat."""

    graded_at: datetime  # UTC


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
    return GradesAnswer(graded_at=graded_at, **grades.model_dump())
