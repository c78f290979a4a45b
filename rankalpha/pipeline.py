"""The pipeline as it is seen from outside of Airflow: its DAGs and the datasets that join them.

The DAG files are what counts; the tests compare.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A DAG of the pipeline; `reads` and `writes` name datasets."""

    name: str
    dag_id: str
    reads: tuple[str, ...]
    writes: str


STEPS = (
    Step("ingestion", "rankalpha_ingestion", (), "prices"),
    Step("scoring", "rankalpha_scoring", ("prices",), "scores"),
    Step("sentiment", "rankalpha_sentiment", ("prices",), "sentiment"),
    Step("grading", "rankalpha_grading", ("scores", "sentiment"), "grades"),
)
PIPELINE = tuple(step.dag_id for step in STEPS)
INGESTION_DAG, *_CONSUMERS = PIPELINE
CONSUMER_DAGS = tuple(_CONSUMERS)
GRADING_DAG = PIPELINE[-1]


def following(dag_id: str) -> tuple[str, ...]:
    """Return the DAGs that run, one after another, because this one has published."""
    reached, dags = {step.writes for step in STEPS if step.dag_id == dag_id}, []
    for step in STEPS:  # each stands after those that it reads from
        if reached & set(step.reads):
            dags.append(step.dag_id)
            reached.add(step.writes)
    return tuple(dags)
