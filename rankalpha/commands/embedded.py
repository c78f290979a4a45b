"""The embedded stack's commands; `make up` and its siblings call them."""

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from rankalpha import remedy
from rankalpha.airflow_api import admin_api
from rankalpha.commands.environment import NO_DATABASE, embedded_stack, use
from rankalpha.commands.refusals import Refused, StackDown
from rankalpha.commands.status import address_rows, airflow_rows, table

if TYPE_CHECKING:  # its libraries are not in the image
    from rankalpha.stack.embedded.stack import Stack

DOWN = 3  # exit status of `status`


def up(batch: bool) -> int:
    """Start the stack and, unless `batch` is false, follow the start-up batch until it is graded."""
    stack = embedded_stack()
    stack.up()
    if not batch:
        return 0
    use(stack.layout.environment(NO_DATABASE))
    from rankalpha.commands.startup import startup  # noqa: PLC0415  so that the stack starts at once

    return startup(stay=False)


def down() -> int:
    """Stop the stack; its state stays."""
    stack = embedded_stack()
    stack.down()
    _name_commands_of(stack)
    print(f"The stack is down; `{remedy.up()}` continues where it stopped.")
    return 0


def status() -> int:
    """Show processes, Airflow's health, the newest batches and the addresses; return DOWN if it is down."""
    stack = embedded_stack()
    if not stack.running():
        _name_commands_of(stack)
        print(f"error: {StackDown()}", file=sys.stderr)
        return DOWN
    print(stack.control("status").strip(), flush=True)
    use(stack.layout.environment(NO_DATABASE))
    urls = stack.layout.urls
    addresses = (urls[f"RANKALPHA_{name}_URL"] for name in ("AIRFLOW", "API", "FRONTEND"))
    print(f"\n{table([*airflow_rows(admin_api())])}\n{table([*address_rows(*addresses)])}", end="")
    return 0


def logs(name: str | None) -> NoReturn:
    """Follow the logs of all processes, or of those whose file's name contains `name`."""
    stack = embedded_stack()
    _name_commands_of(stack)
    files = {file.stem: file for file in sorted(stack.layout.logs.glob("*.log"))}
    if not files:
        raise Refused(f"there are no logs yet; start the stack with `{remedy.up()}`")
    chosen = [file for stem, file in files.items() if name is None or name in stem]
    if not chosen:
        raise Refused(f"there is no log {name!r}; there are {', '.join(files)}")
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, chosen)])  # noqa: S606  it needs no shell


def clean(ask: bool) -> int:
    """Stop the stack and remove all of its state, once a person at a terminal agrees."""
    stack = embedded_stack()
    state = stack.layout.state
    if not state.exists():
        print(f"There is nothing to remove: {state} does not exist.")
        return 0
    print(f"Removing {state}: all batches, Airflow's history, the keys and the logs.")
    if ask and sys.stdin.isatty() and not click.confirm("Remove them?"):
        raise Refused("nothing was removed")
    stack.clean()
    print(f"Removed {state}.")
    return 0


def _name_commands_of(stack: "Stack") -> None:
    """Let messages of this process name `make …`; not more, because an env file may be wrong."""
    use({**os.environ, "RANKALPHA_STACK": str(stack.layout.state)})
