"""The steps of a pipeline, and what each reads and writes. Every other list of steps is derived from this."""

from dataclasses import dataclass
from typing import NamedTuple

WATCHDOG_DAG = "rankalpha_watchdog"


class Shape(NamedTuple):
    """A step of every market; `reads` and `writes` name datasets of the default market."""

    name: str
    reads: tuple[str, ...]
    writes: str


# each step follows the steps that it reads from
SHAPE = (
    Shape("ingestion", (), "prices"),
    Shape("scoring", ("prices",), "scores"),
    Shape("sentiment", ("prices",), "sentiment"),
    Shape("grading", ("scores", "sentiment"), "grades"),
)
DATASETS = {step.name: step.writes for step in SHAPE}  # by step


@dataclass(frozen=True)
class Step:
    """A DAG of a pipeline; `reads` and `writes` name datasets, `output` is `writes` of the default market."""

    name: str
    dag_id: str
    reads: tuple[str, ...]
    writes: str
    output: str
