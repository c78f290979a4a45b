"""What a batch did beyond adding days: counted in the result, named in the log, whole in changes.json."""

import json
import logging
from collections import Counter
from pathlib import Path

import polars as pl

from apps.common.files import write_atomic
from apps.ingestion.jumps import about_a_hundred
from apps.ingestion.prices import Update
from apps.ingestion.sources import Reason

FILE = "changes.json"
NAMED = 20  # symbols that the log names of each kind

log = logging.getLogger("ingestion")


def counts(update: Update) -> dict[str, int]:
    """Return the figures of the result: what changed, and how many symbols nothing came for.

    `behind` of them keep what was known, `left_out` have no prices at all; each counts once by its reason.
    """
    behind = len(_kept(update))
    reasons = Counter(why.reason for why in update.missing.values())
    return {
        "revised": update.revised,
        "rescaled": len(update.rescaled),
        "jumps": update.jumps.height,
        "behind": behind,
        "left_out": len(update.missing) - behind,
        **{f"missing_{reason}": reasons[reason] for reason in Reason},
    }


def log_changes(update: Update) -> None:
    """Log what a person may want to check, and how much more there is."""
    if update.revised:
        log.info("known days that were corrected or came late: %d", update.revised)
    rescaled = [f"{each.symbol}{_scale(each.factor)}{_because(each.actions)}" for each in update.rescaled]
    _name(logging.INFO, "histories that were rescaled, and replaced as a whole (%d): %s", rescaled)
    jumps = [
        f"{symbol} {day} x{factor:.4g}{' (pounds and pence?)' if about_a_hundred(factor) else ''}"
        for symbol, day, factor in update.jumps.iter_rows()
    ]
    causes = "a split, a slipped decimal point or another currency?"
    _name(logging.WARNING, f"warning: closes that jump, by {causes} (%d): %s", jumps)
    known = _kept(update)
    for symbol, why in list(update.missing.items())[:NAMED]:
        kept = "is kept as it was" if symbol in known else "is left out"
        log.warning("warning: %s %s: %s", symbol, kept, why.message)
    if len(update.missing) > NAMED:
        others = list(update.missing)[NAMED:]
        log.warning("warning: others (%d), see %s: %s …", len(others), FILE, ", ".join(others[:NAMED]))


def write_changes(folder: Path, update: Update) -> list[Path]:
    """Write changes.json when there is something to report; return the files that were written."""
    jumps = update.jumps.with_columns(pl.col("date").cast(pl.String)) if update.jumps.height else update.jumps
    known = _kept(update)
    report = {
        "rescaled": [each._asdict() for each in update.rescaled],
        "jumps": jumps.to_dicts(),
        "missing": {
            symbol: {"reason": why.reason, "message": why.message, "kept": symbol in known}
            for symbol, why in update.missing.items()
        },
    }
    path = folder / FILE
    if not any(report.values()):
        path.unlink(missing_ok=True)  # of an earlier attempt
        return []
    text = json.dumps(report, indent=1)
    write_atomic(path, lambda temporary: temporary.write_text(text + "\n"))
    return [path]


def _kept(update: Update) -> set[str]:
    """Return the symbols for which nothing came but whose history is known."""
    return set(update.missing).intersection(update.prices["symbol"].unique())


def _scale(factor: float | None) -> str:
    return f" x{factor:.6g}" if factor else ""


def _because(actions: list[dict[str, object]]) -> str:
    listed = ", ".join(f"{action['kind']} {action['value']:g} on {action['date']}" for action in actions)
    return f" ({listed})" if listed else ""


def _name(level: int, message: str, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - NAMED} more, see {FILE}" if len(names) > NAMED else ""
        log.log(level, message, len(names), ", ".join(names[:NAMED]) + more)
