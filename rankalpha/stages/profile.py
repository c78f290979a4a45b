"""What a stage sees: Airflow Variable > env/<profile>/<name>.env > default, looked up when its task runs.

The settings of a market or of a variant come before all of them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.settings import SettingsError, settings
from rankalpha.stages.env_file import read_env_file
from rankalpha.texts import shown
from rankalpha.usable import line_problem, text_problem

Lookup = Callable[[str], str | None]  # of a Variable by its key

FROM_ENVIRONMENT = "AIRFLOW_VAR_"  # prefix of a Variable in the environment, before its key in upper case
ENV_PROFILE = "ENV_PROFILE"  # the Variable that chooses the profile
SECRETS_BACKENDS = (("secrets", "backend"), ("workers", "secrets_backend"))


def variable(key: str) -> str | None:
    """Return the Airflow Variable `key`, or None; only for running tasks, where it is one API call."""
    from airflow.sdk import Variable  # noqa: PLC0415  the Docker proxy reads the stages and has no Airflow

    value = Variable.get(key, default=None)
    return None if value is None else str(value)


@dataclass(frozen=True)
class Variables:
    """Airflow's Variables; `stored` are the keys in its database, None when they are not known.

    `value_of` asks for a value; None: as a running task does.
    """

    stored: frozenset[str] | None = None
    value_of: Lookup | None = None

    @classmethod
    def load(cls) -> "Variables":
        """Ask which keys exist, so that a key that nobody has set costs no call."""
        from airflow.sdk import Variable, conf  # noqa: PLC0415

        if any(conf.get(section, key, fallback="") for section, key in SECRETS_BACKENDS):
            return cls()  # a backend does not list its keys
        try:
            return cls(frozenset(Variable.keys()))
        except ImportError:  # not in a task, where only the environment has Variables
            return cls()

    def __call__(self, key: str) -> str | None:
        """Return the value of a Variable, None when it is not set."""
        exists = self.stored is None or key in self.stored or FROM_ENVIRONMENT + key.upper() in os.environ
        return (self.value_of or variable)(key) if exists else None

    def keys(self) -> frozenset[str]:
        """Return the keys that are set, as far as that is known."""
        given = (key for key in os.environ if key.startswith(FROM_ENVIRONMENT))
        return frozenset({*(self.stored or ()), *(key.removeprefix(FROM_ENVIRONMENT) for key in given)})


def profile_folder(name: str) -> Path:
    """Return the folder of a profile; SettingsError lists the existing profiles."""
    known = sorted(path.name for path in settings().env_dir.glob("*/"))
    if name not in known:  # a path such as `..` is not a name
        raise SettingsError(
            f"unknown profile {name!r}: {settings().env_dir} has {known or 'no profiles'}; "
            "set the Variable ENV_PROFILE or RANKALPHA_ENV to one of them"
        )
    return settings().env_dir / name


def profile_dir(own: str | None = None, lookup: Lookup = variable) -> Path:
    """Return the folder of the profile: a market's own, else Variable ENV_PROFILE, else RANKALPHA_ENV."""
    return profile_folder(own or lookup(ENV_PROFILE) or settings().env)


@dataclass(frozen=True)
class Profile:
    """The settings of one stage or service: `get` looks a key up in order of precedence."""

    file: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    lookup: Lookup = variable
    set_keys: frozenset[str] = frozenset()  # of all Variables, as far as that is known
    name: str = ""  # of the profile, `local` for example
    own: Mapping[str, str] = field(default_factory=dict)  # wins over all else: the market's settings

    @classmethod
    def load(
        cls,
        name: str,
        defaults: Mapping[str, str],
        market: Market = DEFAULT_MARKET,
        own: Mapping[str, str] | None = None,
        variables: Variables | None = None,
    ) -> "Profile":
        """Read env/<profile>/<name>.env of a market's own profile or, without one, of the chosen profile.

        Outside of a task, `variables` must be given.
        """
        lookup = variables or Variables.load()
        folder = profile_dir(market.profile, lookup)
        return cls(
            file=read_env_file(folder / f"{name}.env"),
            defaults=defaults,
            lookup=lookup,
            name=folder.name,
            set_keys=lookup.keys(),
            own=own or {},
        )

    def get(self, key: str) -> str:
        """Return the value of `key`; KeyError when it is not set, SettingsError for unusable text."""
        value = self.own.get(key)
        if value is None:
            value = self.lookup(key)
        if value is None:
            value = self.file[key] if key in self.file else self.defaults[key]
        if problem := text_problem(value):  # the value may be a secret
            raise SettingsError(f"{key} {problem} (in its Variable or env file)")
        return value

    def optional(self, key: str) -> str:
        """Return the value of `key`, or an empty string when it is not set."""
        try:
            return self.get(key)
        except KeyError:
            return ""

    def line(self, key: str) -> str:
        """Return the value of `key`, a text of one line; SettingsError names any other value."""
        value = self.get(key)
        if problem := line_problem(value):
            raise SettingsError(f"{key}={shown(value)} {problem}")
        return value

    def number(self, key: str, most: float = inf) -> float:
        """Return the positive number of `key`, `most` at most; SettingsError names any other value."""
        value = self.get(key)
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number < inf:
            raise SettingsError(f"{key}={shown(value)} is not a positive number, such as 1.5")
        if number > most:
            raise SettingsError(f"{key}={shown(value)} is too large; the maximum is {most:.10g}")
        return number

    def flag(self, key: str) -> bool:
        """Return whether `key` is on; SettingsError for a value other than true and false."""
        value = self.get(key)
        if value.strip().lower() not in ("true", "false"):
            raise SettingsError(f"{key}={shown(value)} is neither true nor false")
        return value.strip().lower() == "true"

    def all(self) -> dict[str, str]:
        """Return every key that is not a Variable's alone, with the value that has precedence."""
        return {key: self.get(key) for key in {**self.defaults, **self.file, **self.own}}
