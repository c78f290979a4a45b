"""The command line, from click."""

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path

import click

from rankalpha.commands import pipeline_commands, stack_commands
from rankalpha.commands.__main__ import main
from scripts.reference.markdown import code, page, prose, table

GROUPS = {  # each a page, by title
    "Commands for the stack": ("stack", stack_commands.COMMANDS),
    "Commands for batches": ("batches", pipeline_commands.BATCHES),
    "Commands for what is published": ("published", pipeline_commands.PUBLISHED),
}


def pages(_root: Path) -> dict[str, str]:
    """Return a page for each group of commands."""
    return {
        f"commands/{name}.md": page(title, _parts(commands)) for title, (name, commands) in GROUPS.items()
    }


def _parts(commands: Iterable[click.Command]) -> Iterator[str]:
    commands = list(commands)
    yield f"{', '.join(code(command.name) for command in commands)}."
    yield (
        "In a checkout the command line is `.venv/bin/rankalpha`, and each command that you need every day\n"
        "is also a target of [make](../make.md). In the containers it is\n"
        "`docker compose exec airflow-scheduler rankalpha`. `rankalpha COMMAND --help` shows the same."
    )
    root = click.Context(main, info_name="rankalpha")
    for command in commands:
        yield from _command(command, click.Context(command, parent=root, info_name=command.name))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.info_name}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```"
    yield prose(cleandoc(command.help or ""))
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    yield table(("option", "default", "meaning"), (_option(option, context) for option in options))


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = "/".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {option.make_metavar(context).removesuffix(' RANGE')}"
    default = option.to_info_dict()["default"]
    needed = "required" if option.required else ""
    shown = needed or ("" if option.is_flag or default is None else code(default))
    return code(f"{names}{value}"), shown, prose(option.help or "")
