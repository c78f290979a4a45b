"""A fix of a fault in Airflow, which is off, with a warning, where Airflow lacks what the fix replaces.

Each module of this package but this one is a fix and declares it as FIX. A fix that fails takes nothing else
with it.
"""

import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

log = logging.getLogger(__name__)


class AbsentError(Exception):
    """Airflow lacks what a fix replaces; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Fix:
    """`apply` applies the fix, or raises, most likely AbsentError; `versions` of Airflow have the fault.

    `issue` is the address of the upstream issue, empty when none is known.
    """

    name: str
    versions: str
    issue: str = ""
    apply: Callable[..., None]

    def on(self, *arguments: Any) -> bool:
        """Apply the fix; return whether it is on. Never raises."""
        try:
            self.apply(*arguments)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not end Airflow
            _warn(self, f"{error}" if isinstance(error, AbsentError) else repr(error))
            return False
        return True


def part(owner: Any, name: str) -> Any:
    """Return a part of Airflow by its name, `owner` being a class, a module or a module's name.

    Raises AbsentError when it is not there.
    """
    try:
        holder = importlib.import_module(owner) if isinstance(owner, str) else owner
        return getattr(holder, name)
    except (ImportError, AttributeError) as error:
        where = owner if isinstance(owner, str) else owner.__name__
        raise AbsentError(f"{where} has no {name}") from error


@cache
def _warn(fix: Fix, problem: str) -> None:
    """Log once in this process that a fix is off."""
    from airflow import __version__  # noqa: PLC0415  loads Airflow's configuration

    about = f"{fix.versions}{f', {fix.issue}' if fix.issue else ''}"
    log.warning(
        "The fix rankalpha/airflow_fixes/%s.py is off: %s. It is for Airflow %s; this is Airflow %s",
        fix.name,
        problem,
        about,
        __version__,
    )
