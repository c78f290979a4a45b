"""Loads what a command does, which may take seconds, and does it."""

import importlib
import sys
from typing import Any, NoReturn

import click

REFUSED = 2  # exit status, as of an argument that click refuses


def run(command: str, **arguments: Any) -> NoReturn:
    """Call `<module>:<function>` of this package and end with the exit status that it returns.

    A refusal ends with one line on stderr and REFUSED.
    """
    _end(command, arguments)


def run_in_stack(command: str, *, must_run: bool = True, **arguments: Any) -> NoReturn:
    """Do so with the settings of the stack that is here; refused when the stack must run and does not."""
    _end(command, arguments, must_run=must_run)


def _end(command: str, arguments: dict[str, Any], must_run: bool | None = None) -> NoReturn:
    from rankalpha.commands.environment import explained, use_stack  # noqa: PLC0415  `--help` does not need them
    from rankalpha.commands.refusals import REFUSALS  # noqa: PLC0415

    module, _, function = command.partition(":")
    try:
        if must_run is not None:
            use_stack(must_run=must_run)  # first, because Airflow reads its settings when it is loaded
        status = getattr(importlib.import_module(f"rankalpha.commands.{module}"), function)(**arguments)
    except REFUSALS as error:
        click.echo(f"error: {explained(error)}", err=True)
        status = REFUSED
    sys.exit(status)
