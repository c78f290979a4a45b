"""The form of a backup: a compressed tar whose first member describes it and whose last one ends it."""

from dataclasses import dataclass
from importlib.metadata import version

FORMAT = 1
ABOUT, KEYS, DUMP, DATA, END = "about.json", "keys.env", "database.sql", "data", "end"


@dataclass(frozen=True)
class About:
    """What a backup says of itself."""

    stack: str  # the kind that it was made of: embedded or containers
    made: str  # UTC
    fernet: list[str]  # fingerprints of the keys that its secrets need
    rankalpha: str = version("rankalpha-orchestration")
    airflow: str = version("apache-airflow")
    format: int = FORMAT


@dataclass(frozen=True)
class Contents:
    """What a whole backup holds."""

    about: About
    members: frozenset[str]
    folders: frozenset[str]  # those directly below its data
