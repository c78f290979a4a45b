"""The pipelines as seen from outside of Airflow: their DAGs, and the datasets that join these.

Each market has one pipeline, see `markets`. The DAG files decide; a test compares them with this module.
"""

from dataclasses import dataclass, replace
from functools import cache

from rankalpha.pipeline.challenger import Challenger, challengers_of
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.pipeline.markets import markets
from rankalpha.pipeline.steps import COMPARISON, GRADING, SHAPE, TRAINING, Shape, Step
from rankalpha.settings import SettingsError, settings
from rankalpha.texts import shown


@dataclass(frozen=True)
class Pipeline:
    """The steps of one market, then the optional ones that only some have: training, and the challengers'."""

    market: Market
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, market: Market) -> "Pipeline":
        """Return the pipeline of a market."""
        steps = [_step(market, shape) for shape in SHAPE]
        if market.training:
            steps.append(_step(market, TRAINING))
        for challenger in challengers_of(market):
            steps += [_step(challenger, shape) for shape in challenger.declared.steps]
            steps.append(_comparison(challenger))
        return cls(market, tuple(steps))

    @property
    def dag_ids(self) -> tuple[str, ...]:
        """The ids of its DAGs, in the order in which they run."""
        return tuple(step.dag_id for step in self.steps)

    @property
    def ingestion(self) -> str:
        """The id of the DAG that every batch starts with."""
        return self.steps[0].dag_id

    @property
    def consumers(self) -> tuple[str, ...]:
        """The ids of the DAGs that datasets start."""
        return tuple(step.dag_id for step in self.steps[1:] if not step.scheduled)

    @property
    def by_step(self) -> dict[str, str]:
        """The ids of its DAGs by their steps."""
        return {step.name: step.dag_id for step in self.steps}

    @property
    def graded(self) -> Step:
        """The step with which a batch is graded; those after it are optional."""
        return next(step for step in self.steps if step.name == GRADING.name)

    @property
    def grading(self) -> str:
        """The id of the DAG of that step."""
        return self.graded.dag_id

    @property
    def optional(self) -> tuple[str, ...]:
        """The ids of the DAGs of optional steps, which no batch waits for."""
        return tuple(step.dag_id for step in self.steps if step.optional)

    @property
    def scheduled(self) -> tuple[str, ...]:
        """The ids of the DAGs with a clock of their own, whose runs have no deadline."""
        return tuple(step.dag_id for step in self.steps if step.scheduled)

    def step_that_writes(self, dataset: str) -> Step:
        """Return the step of a dataset, whose name may lack the market; SettingsError for an unknown one."""
        for step in self.steps:
            if dataset in (step.output, step.writes):
                return step
        known = ", ".join(step.output for step in self.steps)
        raise SettingsError(f"there is no dataset {shown(dataset)}; there are {known}")


def _step(market: Market, shape: Shape) -> Step:
    """Return a step of a market or of a challenger."""
    variant = f"{market.variant}_" if isinstance(market, Challenger) else ""
    return Step(
        name=f"{variant}{shape.name}",
        dag_id=market.dag_id(shape.name),
        reads=tuple(market.dataset_name(dataset) for dataset in shape.reads),
        writes=market.dataset_name(shape.writes),
        output=f"{variant}{shape.writes}",
        inputs=shape.reads,
        optional=shape.optional or market.challenges,
        scheduled=shape.scheduled,
        also=tuple((market.dataset_name(name), name) for name in shape.also_reads if market.training),
    )


def _comparison(challenger: Challenger) -> Step:
    """Return the step that compares a challenger's grades with the champion's."""
    step = _step(challenger, COMPARISON)
    grades = GRADING.writes
    both = (challenger.champion.dataset_name(grades), challenger.dataset_name(grades))
    return replace(step, reads=both, inputs=both)


DEFAULT_PIPELINE = Pipeline.of(DEFAULT_MARKET)
STEPS = DEFAULT_PIPELINE.steps  # of the default market, like the constants below
PIPELINE, INGESTION_DAG = DEFAULT_PIPELINE.dag_ids, DEFAULT_PIPELINE.ingestion
CONSUMER_DAGS, GRADING_DAG = DEFAULT_PIPELINE.consumers, DEFAULT_PIPELINE.grading


@cache
def pipelines() -> tuple[Pipeline, ...]:
    """Return the pipelines of all markets; SettingsError for a mistake in their file."""
    return tuple(Pipeline.of(market) for market in markets())


@cache
def _by_dag() -> dict[str, Pipeline]:
    return {dag_id: pipeline for pipeline in pipelines() for dag_id in pipeline.dag_ids}


def pipeline_of(dag_id: str) -> Pipeline | None:
    """Return the pipeline of a DAG; None for a DAG outside of all pipelines."""
    return _by_dag().get(dag_id)


def pipeline(market: str | None = None) -> Pipeline:
    """Return the pipeline of a market; without a name that of the default market, or of the only market.

    Raises SettingsError for an unknown market.
    """
    known = {pipeline.market.name: pipeline for pipeline in pipelines()}
    if market is None and len(known) == 1:
        return pipelines()[0]
    if (name := market or DEFAULT_MARKET.name) in known:
        return known[name]
    problem = f"there is no market {shown(name)}" if market else "name a market"
    raise SettingsError(f"{problem}; {settings().markets} has {', '.join(known)}")


def following(dag_id: str) -> tuple[str, ...]:
    """Return the DAGs that run after a DAG has published, in their order."""
    pipeline = pipeline_of(dag_id)
    steps = pipeline.steps if pipeline else ()
    reached, dags = {step.writes for step in steps if step.dag_id == dag_id}, []
    for step in steps:
        if reached & set(step.reads) and not step.scheduled:
            dags.append(step.dag_id)
            reached.add(step.writes)
    return tuple(dags)


def awaited(dag_id: str) -> tuple[str, ...]:
    """Return those of them that a batch waits for."""
    pipeline = pipeline_of(dag_id)
    return tuple(each for each in following(dag_id) if pipeline and each not in pipeline.optional)
