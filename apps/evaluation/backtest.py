"""The backtest: what the scorer would have scored at sessions of the past, from the closes until then.

The scorer's own functions do it. Each session is given the closes that there were by then and no others, so
that nothing of the future can reach a score. Nothing is fitted, so that there is nothing to learn from the
past but the returns themselves.
"""

from collections.abc import Iterator

import polars as pl

from apps.common.lateness import dated, is_recent
from apps.evaluation.sessions import Sessions
from apps.scorer.prices import signals_of
from apps.scorer.ranking import SCORES, ranked
from apps.scorer.settings import Settings
from apps.scorer.signals import FIVE_YEARS, YEAR
from apps.scorer.universe import inside

FIGURES = ("score", *SCORES)
# Sessions that a score sees: those of its longest signal, and as many more as a symbol may lack of them.
WINDOW = FIVE_YEARS + 1 + 63
SURVIVORS = "It ranks the symbols of today: those that have left the market are missing, which flatters it."
LISTED = "It ranks those that universe.csv lists for each day, as far as they have prices."
LIMITS = (
    "It knows no costs, and buys at the close that a score is made of.",
    "It has no sentiment, because the headlines of the past are not known.",
    "The method of today is held against a past that its authors knew.",
    "It ranks by the reference scorer with the evaluation's settings; another scorer is not in it.",
)


def limits(universe: pl.DataFrame | None) -> tuple[str, ...]:
    """Return what it cannot know."""
    return (SURVIVORS if universe is None else LISTED, *LIMITS)


def scored(
    closes: pl.DataFrame,
    sessions: Sessions,
    every: int,
    settings: Settings,
    calendar: str,
    universe: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return symbol, s, score and its parts at each `every`-th session, back from the newest.

    `closes` has symbol, date, close and s, sorted by symbol and s. `universe` says which symbols belong to it
    on a day, see `apps.common.universe`.
    """
    parts = [
        ranked(signals).select(
            "symbol", pl.lit(number, closes.schema["s"]).alias("s"), *(pl.col(name) for name in FIGURES)
        )
        for number, signals in past_signals(closes, sessions.last, every, settings, calendar, universe)
    ]
    kinds = {name: closes.schema[name] for name in ("symbol", "s")} | dict.fromkeys(FIGURES, pl.Float64())
    return pl.concat([pl.DataFrame(schema=kinds), *parts])


def past_signals(
    closes: pl.DataFrame,
    last: int,
    every: int,
    settings: Settings,
    calendar: str,
    universe: pl.DataFrame | None,
    first: int = YEAR,  # before that no symbol can have a score
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield each `every`-th session from `first` on, back from the `last`, with the raw signals known then.

    They are of what was scored then; the arguments are those of `scored`.
    """
    for number in range(last % every, last + 1, every):
        if number < first:
            continue
        known = closes.filter(pl.col("s").is_between(number - WINDOW + 1, number))
        if known.is_empty():
            continue
        signals = dated(signals_of(known.lazy()).collect(), calendar)
        if universe is not None:
            signals = inside(universe, signals, signals["as_of"][0], settings.sector_neutral)
        yield number, signals.filter(is_recent(settings.stale_sessions, settings.stale_days))
