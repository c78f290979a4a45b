"""What is wrong with a market, as lines on a terminal."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console


def trouble(console: Console, health: dict[str, Any]) -> None:
    """Print the components' heartbeats and what is wrong, a command in it can be pasted."""

    def say(text: str, style: str = "", *, whole: bool = True) -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=whole)

    for component, beat in health["components"].items():
        say(f"{component}: newest heartbeat {_moment(beat) if beat else 'never'}")
    for problem in health["quality"]:
        say(f"Data: {problem['dataset']} of {problem['batch']}: {problem['problem']}", "yellow")
    for dataset in health["datasets"]:
        if dataset["stale"]:
            say(f"{dataset['name']} is stale: {_stale(dataset)}", "red", whole=False)
    for incident in health["incidents"]:
        say(incident["subject"], "red")
        say(incident["text"])


def _stale(dataset: dict[str, Any]) -> str:
    """Return why a dataset is stale."""
    of = f", {session['text']}" if (session := dataset["session"]) else ""
    return f"newest batch {dataset['newest_batch']}{of}"


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
