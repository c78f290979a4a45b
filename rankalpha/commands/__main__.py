"""The command line `rankalpha`: what can be typed, and what its help says.

Help, typos and refused arguments must not wait for Airflow, whose libraries take seconds to load. So nothing
slow is imported here: `run` loads what a command does once its arguments are known to be right.
"""

import sys

import click

from rankalpha.commands import pipeline_commands, stack_commands

COMMANDS = (*stack_commands.COMMANDS, *pipeline_commands.COMMANDS)


class InOrder(click.Group):
    """Lists its commands in the order in which a user meets them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names as they were added."""
        return list(self.commands)


@click.command(
    cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """Run RankAlpha's pipeline and look after it."""


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main(prog_name="rankalpha"))
