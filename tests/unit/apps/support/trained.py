"""Closes with and without something to learn, and what the contract says of a model."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from datasets.models import MODELS_CONTRACT

FIRST = date(2018, 1, 1)
YEAR, MONTH = 252, 21


def closes(months: int, strength: float, symbols: int = 30, seed: int = 1) -> pl.DataFrame:
    """Return symbol, date and close; whatever rose in the last year falls in the next month, by `strength`.

    A signal that turns round is none of its symbols, unlike one that goes on for ever.
    """
    chance = np.random.default_rng(seed)
    logs = np.cumsum(chance.normal(0, 0.01, (symbols, YEAR + 1)), axis=1)
    for _ in range(months):
        momentum = logs[:, -MONTH - 1] - logs[:, -YEAR - 1]
        place = momentum.argsort().argsort() / (symbols - 1) - 0.5
        steps = chance.normal(0, 0.01, (symbols, MONTH)) - strength * place[:, None] / MONTH
        logs = np.hstack([logs, logs[:, -1:] + np.cumsum(steps, axis=1)])
    sessions = logs.shape[1]
    return pl.DataFrame(
        {
            "symbol": np.repeat([f"S{number:02}" for number in range(symbols)], sessions),
            "date": [FIRST + timedelta(days=day) for day in range(sessions)] * symbols,
            "close": (100 * np.exp(logs)).ravel(),
        }
    )


def blocked(details: dict[str, float], **more: object) -> set[str]:
    """Return the names of the checks of `models` that block a model with these details."""
    result = {"rows": 1, "symbols": 1, "as_of": "2026-11-20", "details": details, **more}
    checks = MODELS_CONTRACT.evaluate("2026-11-22T06:00:00", result, {}, True)
    return {check["name"] for check in checks if not check["passed"] and check["severity"] == "block"}
