"""The commands that messages name, so that a reader can paste them in the checkout of the stack.

The embedded stack has `make …` with the settings that it was started with; the stack of containers has
`docker compose …`. `make` and the containers call the same `rankalpha` with its commands.
"""

import os
import shlex

from rankalpha.settings import StackSettings, settings

COMPOSE = "docker compose"
CELERY = f"{COMPOSE} -f docker-compose.yml -f docker-compose.celery.yml"
EXECUTOR = "AIRFLOW__CORE__EXECUTOR"


def command(name: str, *arguments: str) -> str:
    """Return the line that runs one of the stack's commands."""
    given = shlex.join(arguments)
    if not _embedded():
        return f"{COMPOSE} exec airflow-scheduler rankalpha {name} {given}".rstrip()
    return _make(name) + (f' ARGS="{_in_make(given)}"' if given else "")


def up() -> str:
    """Return the line that creates and starts what is missing."""
    return _make("up") if _embedded() else f"{_compose()} up -d"


def down() -> str:
    """Return the line that stops the stack and keeps its state."""
    return _make("down") if _embedded() else f"{_compose()} down"


def backup_of_containers() -> str:
    """Return the line that makes a backup of the stack of containers, in both stacks."""
    return f"{COMPOSE} run --rm --build backup"


def restore() -> str:
    """Return the line that restores a backup, whose file takes the place of FILE."""
    return (
        _make("restore", "FILE=FILE") if _embedded() else f"{backup_of_containers()} rankalpha restore FILE"
    )


def recreate() -> str:
    """Return the line that starts everything again with the current env files."""
    return _make("down up") if _embedded() else f"{_compose()} up -d --force-recreate"


def redeploy() -> str:
    """Return the line that starts everything again with what the files of the checkout say now."""
    return _make("down up") if _embedded() else f"{_compose()} up -d --build"


def logs(component: str) -> str:
    """Return the line that shows the log of a component, such as `dag-processor`."""
    return (
        _make("logs", f"ARGS={component}")
        if _embedded()
        else f"{COMPOSE} logs --tail 100 airflow-{component}"
    )


def restart(component: str) -> str:
    """Return the line that starts a component again, whether it hangs or is down."""
    return _make("down up") if _embedded() else f"{COMPOSE} restart airflow-{component}"


def make_on_engine(kind: str, name: str, *, by_compose: bool) -> str:
    """Return how to create a network or volume of stages; `by_compose`: docker-compose.yml declares it."""
    own = f"`docker {kind} create {name}`"
    return f"`{up()}` makes it, or {own}" if by_compose and not _embedded() else f"{own} makes it"


def _compose() -> str:
    return CELERY if "Celery" in os.environ.get(EXECUTOR, "") else COMPOSE


def _embedded() -> bool:
    return bool(settings().stack)


def _make(target: str, *variables: str) -> str:
    """Return a call of make with the settings of this stack that are not the default."""
    stack = StackSettings.load()
    given = [
        f"RANKALPHA_{name.upper()}={shlex.quote(str(value))}"
        for name, field in StackSettings.model_fields.items()
        if (value := getattr(stack, name)) != field.default
    ]
    return " ".join(["make", target, *variables, *given])


def _in_make(text: str) -> str:
    """Return a text for double quotes in the shell that make calls, which reads `$` before the shell does."""
    return text.replace("$", "$$").translate({ord(special): f"\\{special}" for special in '\\"$`'})
