"""The embedded stack's commands: up, start, down, status, logs, clean. `make up` and its siblings call this."""

import argparse
import os
import subprocess
import sys

from rankalpha.embedded.layout import ROOT, Layout
from rankalpha.embedded.stack import Stack
from rankalpha.settings import SettingsError, StackSettings


def start(stack: Stack) -> int:
    """Start the stack and nothing else: no batch is triggered."""
    stack.up()
    return 0


def up(stack: Stack) -> int:
    """Start the stack, then follow the start-up batch until it is graded."""
    stack.up()
    script = ROOT / "scripts" / "trigger_dag_on_startup.py"
    return subprocess.run([sys.executable, script], env=stack.environment(), check=False).returncode


def down(stack: Stack) -> int:
    """Stop the stack; its state stays."""
    stack.down()
    print("The stack is down; `make up` continues where it stopped.")
    return 0


def status(stack: Stack) -> int:
    """Show the stack's processes and addresses."""
    if not stack.running():
        print("The stack is down; start it with `make up`.")
        return 3
    print(stack.control("status").strip())
    for name, url in stack.layout.urls.items():
        print(f"{name}={url}")
    return 0


def logs(stack: Stack) -> int:
    """Follow the logs of all processes."""
    files = sorted(stack.layout.logs.glob("*.log"))
    if not files:
        print("There are no logs yet; start the stack with `make up`.")
        return 3
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, files)])  # noqa: S606


def clean(stack: Stack) -> int:
    """Stop the stack and remove all of its state."""
    stack.clean()
    print(f"Removed {stack.layout.state}.")
    return 0


COMMANDS = {command.__name__: command for command in (up, start, down, status, logs, clean)}


def main() -> int:
    """Run the command of the first argument."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    command = COMMANDS[parser.parse_args().command]
    try:
        return command(Stack(Layout(StackSettings())))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
