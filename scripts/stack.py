"""The embedded stack's commands; `make up` and its siblings call this."""

import argparse
import subprocess
import sys
from collections.abc import Mapping

from rankalpha.settings import SettingsError, StackSettings
from rankalpha.stack.embedded.layout import ROOT, Layout
from rankalpha.stack.embedded.stack import Stack

NO_DATABASE = "postgresql+psycopg2:///none"  # Airflow insists on an address, also where none is asked


def start(stack: Stack, _: list[str]) -> int:
    """Start the stack and nothing else: no batch is triggered."""
    stack.up()
    return 0


def up(stack: Stack, _: list[str]) -> int:
    """Start the stack, then follow the start-up batch until it is graded."""
    stack.up()
    return _script(stack, "trigger_dag_on_startup.py", [])


def down(stack: Stack, _: list[str]) -> int:
    """Stop the stack; its state stays."""
    stack.down()
    print("The stack is down; `make up` continues where it stopped.")
    return 0


def status(stack: Stack, _: list[str]) -> int:
    """Show the stack's processes and addresses."""
    if not stack.running():
        print("The stack is down; start it with `make up`.")
        return 3
    print(stack.control("status").strip())
    for name, url in stack.layout.urls.items():
        print(f"{name.split('_')[1].lower():<32} {url}")
    return 0


def logs(stack: Stack, _: list[str]) -> int:
    """Follow the logs of all processes."""
    files = sorted(stack.layout.logs.glob("*.log"))
    if not files:
        print("There are no logs yet; start the stack with `make up`.")
        return 3
    return subprocess.run(["tail", "-n", "20", "-F", *files], check=False).returncode


def clean(stack: Stack, _: list[str]) -> int:
    """Stop the stack and remove all of its state."""
    stack.clean()
    print(f"Removed {stack.layout.state}.")
    return 0


def rerun(stack: Stack, arguments: list[str]) -> int:
    """Re-run a batch or fill a missed day; `--help` says how."""
    return _script(stack, "rerun.py", arguments)


def publish_anyway(stack: Stack, arguments: list[str]) -> int:
    """Publish a batch that its contract has blocked, once; `--help` says how."""
    return _script(stack, "publish_anyway.py", arguments)


def health(stack: Stack, arguments: list[str]) -> int:
    """Show where each batch stands, how long its stages take, and what is wrong."""
    return _script(stack, "health.py", arguments)


def lineage(stack: Stack, arguments: list[str]) -> int:
    """Show the graph of DAGs and datasets, or what a batch was made of; `--help` says how."""
    running = stack.running()  # the graph stands in the DAG files, so that nothing is started for it
    environment = stack.environment() if running else stack.layout.environment(NO_DATABASE)
    return _run("lineage.py", arguments, environment)


def airflow(stack: Stack, arguments: list[str]) -> int:
    """Run one of Airflow's own commands in the stack, such as `tasks test` or `backfill create`."""
    if not stack.running():
        print("The stack is down; start it with `make up`.")
        return 3
    return subprocess.run(["airflow", *arguments], env=stack.environment(), cwd=ROOT, check=False).returncode


def _script(stack: Stack, name: str, arguments: list[str]) -> int:
    return _run(name, arguments, stack.environment())


def _run(name: str, arguments: list[str], environment: Mapping[str, str]) -> int:
    command = [sys.executable, str(ROOT / "scripts" / name), *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


_ALL = (up, start, down, status, logs, clean, rerun, publish_anyway, health, lineage, airflow)
COMMANDS = {command.__name__.replace("_", "-"): command for command in _ALL}


def main() -> int:
    """Run the command of the first argument."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    try:
        return COMMANDS[arguments.command](Stack(Layout(StackSettings.load())), arguments.arguments)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
