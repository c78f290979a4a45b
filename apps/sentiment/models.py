"""Sentiment models: from headlines to a number between -1 (very bad) and 1 (very good)."""

from collections.abc import Sequence
from statistics import fmean
from typing import Protocol

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from apps.common.stage import Batch
from apps.sentiment.chat import ChatModel
from apps.sentiment.kept import KeptRatings
from apps.sentiment.language import english
from apps.sentiment.settings import Settings
from apps.sentiment.unrated import Unrated


class SentimentModel(Protocol):
    """Rates the headlines of one symbol; `name` is written beside every rating."""

    @property
    def name(self) -> str:
        """Name of the model."""

    def rate(self, symbol: str, headlines: Sequence[str]) -> float:
        """Return the sentiment of at least one headline. Raises Unrated."""

    def each(self, headlines: Sequence[str]) -> list[float | None]:
        """Return the rating of each headline; None where it has none of its own."""

    def details(self) -> dict[str, int | float]:
        """Return the figures of the model's work for the result."""


class Vader:
    """Mean VADER compound score of the headlines (Hutto & Gilbert, ICWSM 2014): a lexicon, no network."""

    name = "vader"

    def __init__(self, mixed: bool) -> None:
        """Make the model; `mixed` headlines may be in another language than English."""
        self._analyzer = SentimentIntensityAnalyzer()
        self._mixed = mixed

    def rate(self, symbol: str, headlines: Sequence[str]) -> float:
        """Return the mean compound score, -1..1, of the headlines that are in English."""
        readable = english(headlines) if self._mixed else headlines
        if not readable:
            raise Unrated(
                "language",
                f"{symbol} is not rated: its headlines are not in English, the only language that VADER "
                "reads; choose an English feed (SENTIMENT_RSS_URL) or a chat model (OPENAI_API_KEY)",
            )
        return fmean(self._compound(line) for line in readable)

    def each(self, headlines: Sequence[str]) -> list[float | None]:
        """Return the compound score of each headline that is in English."""
        readable = set(english(headlines) if self._mixed else headlines)
        return [self._compound(line) if line in readable else None for line in headlines]

    def _compound(self, line: str) -> float:
        return float(self._analyzer.polarity_scores(line)["compound"])

    def details(self) -> dict[str, int | float]:
        """Nothing is spent."""
        return {}


class NoModel:
    """For a batch without headlines, by setting: none are missing then."""

    name = "none"

    def rate(self, symbol: str, headlines: Sequence[str]) -> float:
        """Nothing is rated."""
        raise NotImplementedError(f"{symbol}: {len(headlines)} headlines")

    def each(self, headlines: Sequence[str]) -> list[float | None]:
        """Nothing is rated."""
        return [None for _ in headlines]

    def details(self) -> dict[str, int | float]:
        """No symbol lacks headlines that it should have."""
        return {"without_headlines": 0}


def sentiment_model(settings: Settings, batch: Batch) -> SentimentModel:
    """Return the chat model when a key is set, otherwise VADER; neither when there are no headlines."""
    if settings.headlines == "none":
        return NoModel()
    if settings.chat:
        return ChatModel(settings.chat, KeptRatings(batch))
    return Vader(mixed=settings.headlines != "sample")
