"""Whose settings a command works with: those of this checkout's stack, of the container, or given ones."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import requests

from rankalpha import remedy
from rankalpha.commands.refusals import Refused, StackDown
from rankalpha.settings import StackSettings, settings
from rankalpha.stack.embedded.layout import ROOT, Layout
from rankalpha.stack.launch import environment

if TYPE_CHECKING:
    from rankalpha.stack.embedded.stack import Stack

AIRFLOW_URL = "RANKALPHA_AIRFLOW_URL"
NO_DATABASE = "postgresql+psycopg2:///none"  # Airflow insists on an address, also where none is asked


def in_checkout() -> bool:
    """Return whether this package is a checkout's, and not installed in the image of the containers."""
    return (ROOT / "dags").is_dir()


def embedded_stack() -> "Stack":
    """Return the embedded stack of this checkout; Refused elsewhere."""
    if not in_checkout():
        raise Refused(f"this command is for the stack of a checkout; for the containers: `{remedy.up()}`")
    from rankalpha.stack.embedded.stack import Stack  # noqa: PLC0415  its libraries are not in the image

    return Stack(Layout(StackSettings.load()))


def use_stack(*, must_run: bool = True) -> None:
    """Give this process the settings of the stack that is here; StackDown when it does not run but must.

    Whoever gives RANKALPHA_AIRFLOW_URL has given the settings of a stack that may be elsewhere.
    """
    if AIRFLOW_URL in os.environ:
        return
    if not in_checkout():
        use(environment())
        return
    stack = embedded_stack()
    use(stack.layout.environment(NO_DATABASE))
    if must_run and not stack.running():
        raise StackDown


def explained(error: Exception) -> str:
    """Return the message of a refusal; where the stack that is here does not answer, with what starts it."""
    elsewhere = in_checkout() and not settings().stack
    unanswered = isinstance(error, requests.ConnectionError) and not elsewhere
    return f"{error} `{remedy.up()}` starts what is down." if unanswered else str(error)


def use(variables: Mapping[str, str]) -> None:
    """Replace the environment of this process; what reads it when it is loaded must not be loaded yet."""
    os.environ.clear()
    os.environ.update(variables)
    settings.cache_clear()
