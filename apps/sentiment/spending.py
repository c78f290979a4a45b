"""What a batch may spend on ratings and has spent: tokens, and dollars where prices are known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from apps.sentiment.kept import KeptRatings
from apps.sentiment.unrated import Unrated

MILLION = 1_000_000
MOST = 1_000_000_000  # tokens of one answer; more is no number that can be stored
LETTERS = 3  # of a token, at least; languages differ


@dataclass(frozen=True)
class Budget:
    """Bounds of a batch, over all its attempts; 0: no bound. Prices are in dollars for a million tokens."""

    tokens: int
    dollars: float
    input_price: float
    output_price: float

    def cost(self, tokens: tuple[int, int]) -> float:
        """Return what so many tokens of questions and of answers cost, in dollars."""
        return (tokens[0] * self.input_price + tokens[1] * self.output_price) / MILLION


class Spending:
    """Lets questions through while the budget lasts; for several threads."""

    def __init__(self, budget: Budget, kept: KeptRatings) -> None:
        self._budget, self._kept, self._lock = budget, kept, Lock()
        self._asked = (0, 0)  # what questions without an answer yet may cost
        mean = kept.mean
        self._longest = (mean[0], max(mean[1], 100))  # tokens of question and answer so far

    @contextmanager
    def asking(self, symbol: str, question: str) -> Iterator[tuple[int, int]]:
        """Set aside what a question may cost; give that. Raises Unrated when the budget is spent."""
        with self._lock:
            expected = (max(len(question) // LETTERS + 1, self._longest[0]), self._longest[1])
            self._check(symbol, expected)
            self._asked = _sum(self._asked, expected)
        try:
            yield expected
        finally:
            with self._lock:
                self._asked = (self._asked[0] - expected[0], self._asked[1] - expected[1])

    def _check(self, symbol: str, expected: tuple[int, int]) -> None:
        after = _sum(self._kept.tokens, self._asked, expected)
        over = [
            f"{key}={limit:g}"
            for key, limit, spent in (
                ("SENTIMENT_BUDGET_TOKENS", self._budget.tokens, sum(after)),
                ("SENTIMENT_BUDGET_DOLLARS", self._budget.dollars, self._budget.cost(after)),
            )
            if limit and spent > limit
        ]
        if over:
            spent = f"{sum(self._kept.tokens)} tokens are spent for this batch"
            raise Unrated("budget", f"{symbol} is not rated: {spent}, and {over[0]} leaves too few")

    def paid(
        self,
        reported: tuple[int, int] | None,
        expected: tuple[int, int],
        rating: float | None,
        *question: object,
    ) -> None:
        """Count what an answer has cost, as the API reported or as was expected; keep the rating in it."""
        tokens = reported or expected
        with self._lock:
            self._longest = (max(self._longest[0], tokens[0]), max(self._longest[1], tokens[1]))
        self._kept.keep(tokens, rating, *question, sure=reported is not None)

    def details(self) -> dict[str, int | float]:
        """Return the figures for the result."""
        tokens = self._kept.tokens
        priced = self._budget.input_price or self._budget.output_price
        cost = {"cost_dollars": round(self._budget.cost(tokens), 6)} if priced else {}
        return {"input_tokens": tokens[0], "output_tokens": tokens[1], **cost}


def usage(answer: Any) -> tuple[int, int] | None:
    """Return the tokens of question and answer that an API reports; None when it reports none."""
    try:
        counts = (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
    except (KeyError, TypeError, IndexError):
        return None
    return counts if all(type(count) is int and 0 <= count <= MOST for count in counts) else None


def _sum(*all_: tuple[int, int]) -> tuple[int, int]:
    questions, answers = zip(*all_, strict=True)
    return sum(questions), sum(answers)
