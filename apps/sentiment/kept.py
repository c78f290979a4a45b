"""What a batch has seen and paid for, kept beside its report for the next attempt or run.

Both files are in company_reports/<batch>/ and are removed with the batch. They hold the headlines of its
symbols, and a rating for each question that was asked about them. Delete a file to have its part asked for
again.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock

from apps.common.stage import Batch
from apps.sentiment.reports import KEPT_HEADLINES, RATINGS, Headlines, Ratings, read_json, write_json

REMEDY = "delete it to have its part asked for again"


class KeptHeadlines:
    """The headlines that the batch has seen, by symbol: a later attempt rates the same ones."""

    def __init__(self, batch: Batch, source: str) -> None:
        self._path = batch.folder("company_reports") / "headlines.json"
        self._kept = Headlines(source=source, symbols={})
        if source and self._path.exists():
            kept = read_json(self._path, KEPT_HEADLINES, REMEDY)
            self._kept = kept if kept.source == source else self._kept

    def get(self, symbol: str) -> list[str] | None:
        """Return a symbol's headlines; None when it has none yet."""
        return self._kept.symbols.get(symbol)

    def keep(self, fetched: Mapping[str, Sequence[str]]) -> None:
        """Add what was fetched; a symbol without headlines is asked for again."""
        new = {symbol: list(titles) for symbol, titles in fetched.items() if titles}
        if self._kept.source and new:
            self._kept.symbols.update(new)
            write_json(self._path, KEPT_HEADLINES, self._kept)


class KeptRatings:
    """The ratings that the batch has paid for, and what all its attempts have spent; for several threads."""

    def __init__(self, batch: Batch) -> None:
        self._path = batch.folder("company_reports") / "ratings.json"
        self._kept = read_json(self._path, RATINGS, REMEDY) if self._path.exists() else Ratings()
        self._lock = Lock()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens of the questions and of the answers so far."""
        return self._kept.input_tokens, self._kept.output_tokens

    @property
    def mean(self) -> tuple[int, int]:
        """Tokens that a rating has taken so far, of question and answer; 0 before the first."""
        number = len(self._kept.ratings) or 1
        return self._kept.input_tokens // number, self._kept.output_tokens // number

    def get(self, *question: object) -> float | None:
        """Return the rating of exactly this question; None without one."""
        return self._kept.ratings.get(_mark(question))

    def keep(self, tokens: tuple[int, int], rating: float | None, *question: object, sure: bool) -> None:
        """Add what an answer has cost, and the rating in it if there is one.

        Tokens that are estimated, and not `sure`, are written only together with a rating.
        """
        with self._lock:
            self._kept.input_tokens += tokens[0]
            self._kept.output_tokens += tokens[1]
            if rating is not None:
                self._kept.ratings[_mark(question)] = rating
            if rating is not None or sure:
                write_json(self._path, RATINGS, self._kept)


def _mark(question: tuple[object, ...]) -> str:
    return sha256(json.dumps(question).encode()).hexdigest()
