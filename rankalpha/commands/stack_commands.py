"""The commands for the embedded stack of a checkout, and Airflow's own commands in any stack."""

import click

from rankalpha.commands.run import run, run_in_stack


@click.command()
@click.option(
    "--batch/--no-batch", default=True, help="Whether to start the day's batch, too, and follow it."
)
def up(batch: bool) -> None:
    """Start the stack and follow the day's batch."""
    run("embedded:up", batch=batch)


@click.command()
def down() -> None:
    """Stop the stack; its state stays."""
    run("embedded:down")


@click.command()
def status() -> None:
    """Show processes, health, newest batch and addresses.

    Exit status: 0 the stack runs, 3 it is down.
    """
    run("embedded:status")


@click.command()
@click.argument("name", required=False)
def logs(name: str | None) -> None:
    """Follow the logs of all processes, or of some.

    NAME is a part of the names of those to follow, such as `scheduler`.
    """
    run("embedded:logs", name=name)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal it never asks.")
def clean(yes: bool) -> None:
    """Stop the stack and remove all of its state.

    That is all batches, Airflow's history, the keys and the logs.
    """
    run("embedded:clean", ask=not yes)


@click.command()
@click.argument("file", required=False)
def backup(file: str | None) -> None:
    """Write database, data and keys of the stack into one file.

    FILE is a new file; without it, one named after the time in the folder `backups`. The stack may run.
    """
    run("backup:backup", file=file)


@click.command()
@click.argument("file")
@click.option("--yes", is_flag=True, help="Replace what is there without asking.")
def restore(file: str, yes: bool) -> None:
    """Replace all that the stack holds by a backup.

    The stack must be down. FILE is read to its end before anything is replaced.
    """
    run("backup:restore", file=file, ask=not yes)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def airflow(arguments: tuple[str, ...]) -> None:
    """Run one of Airflow's own commands in the stack.

    Such as `rankalpha airflow dags list`; `rankalpha airflow cheat-sheet` lists them.
    """
    run_in_stack("airflow_cli:airflow", arguments=arguments)


COMMANDS = (up, down, status, logs, clean, backup, restore, airflow)
