"""Rebuilds the record from the grades that are on the disk."""

import logging
from itertools import count
from pathlib import Path

from pydantic import BaseModel

from apps.api.batches import graded
from apps.api.history.faults import Damaged
from apps.api.history.folder import months
from apps.api.history.lock import alone
from apps.api.history.months import Month
from apps.api.history.record import LONG, fill
from apps.common.stage import StageError

log = logging.getLogger("rankalpha.api")


class Rebuilt(BaseModel):
    """What a rebuild has done."""

    recorded: list[str]  # batches
    damaged: list[str]  # files that were moved aside, by their new names
    unread: list[str]  # why other batches are not recorded


def rebuild(root: Path) -> Rebuilt:
    """Record each batch whose grades are there; a damaged file is moved aside first. Nothing else is lost."""
    with alone(root, LONG):
        damaged = [_move_aside(month) for month in months(root) if _is_damaged(month)]
    recorded, unread = fill(root, graded(root), LONG)
    return Rebuilt(recorded=recorded, damaged=damaged, unread=list(unread.values()))


def _is_damaged(month: Month) -> bool:
    try:
        month.rows()
    except Damaged:
        return True
    except StageError:  # it may be whole
        return False
    return False


def _move_aside(month: Month) -> str:
    names = (f"{month.path.name}.damaged{number or ''}" for number in count())
    aside = next(path for path in map(month.path.with_name, names) if not path.exists())
    month.path.replace(aside)
    log.warning("warning: %s was damaged; it is kept as %s", month.path, aside)
    return aside.name
