"""A batch's progress on the terminal: one line for each change, so that it also reads well in a log file."""

import time
from typing import Any

from rich.console import Console

STYLES = {"success": "green", "failed": "bold red", "up_for_retry": "yellow", "running": "cyan"}
QUIET = {None, "scheduled", "queued", "none", "removed"}


class Progress:
    """Prints each change of a task's state once."""

    def __init__(self, batch: str) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._seen: dict[tuple[str, str], tuple[str, int]] = {}
        self._start = time.monotonic()
        self.say(f"Following batch {batch}")

    def say(self, text: str) -> None:
        """Print `text` behind the seconds since the start."""
        self._console.print(f"[dim]{time.monotonic() - self._start:6.1f} s[/]  {text}")

    def show(self, dag_id: str, tasks: list[dict[str, Any]]) -> None:
        """Print the tasks of a run (task instances of Airflow's API) whose state has changed."""
        for task in sorted(tasks, key=lambda task: task["start_date"] or "~"):
            state, attempt = task["state"], task["try_number"]
            if state in QUIET or self._seen.get((dag_id, task["task_id"])) == (state, attempt):
                continue
            self._seen[dag_id, task["task_id"]] = (state, attempt)
            took = (
                f" in {task['duration']:.1f} s" if state == "success" and task["duration"] is not None else ""
            )
            again = f" (attempt {attempt})" if attempt > 1 else ""
            style = STYLES.get(state, "default")
            self.say(f"{dag_id:<20} {task['task_id']:<18} [{style}]{state}[/]{took}{again}")


class Silent(Progress):
    """Keeps what would have been said last, for a caller that has a line of its own for the batch."""

    said = ""

    def say(self, text: str) -> None:
        """Keep the text."""
        self.said = text

    def show(self, dag_id: str, tasks: list[dict[str, Any]]) -> None:
        """Say nothing of single tasks."""
