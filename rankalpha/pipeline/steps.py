"""The steps of a pipeline, and what each reads and writes. Every other list of steps is derived from this."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A step of every market; `reads` and `writes` name datasets of the default market.

    `stage` names the stage that the step runs, which rankalpha/stages/<stage>.py declares; a step that only
    calls a service has none. `folders` are those below the root of the data that the step adds. `follow_ups`
    are its tasks after the publication; the failure of one that is not `urgent` can wait for the day.
    An `optional` step comes after a batch is graded, or beside it. No batch waits for it, and its failure can
    wait too. One that is `scheduled` has a clock of its own, and runs for some batches only.
    `also_reads` names datasets that start nothing, and of which it may read the version of another batch.
    """

    name: str
    reads: tuple[str, ...]
    writes: str
    stage: str = ""
    folders: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    optional: bool = False
    scheduled: bool = False
    also_reads: tuple[str, ...] = ()


# each step follows the steps that it reads from
SHAPE = (
    Shape("ingestion", (), "prices", "ingestion", ("prices",)),
    Shape("scoring", ("prices",), "scores", "scorer", also_reads=("models",)),
    Shape("sentiment", ("prices",), "sentiment", "sentiment", ("company_reports", "analysis_schedule")),
    Shape(
        "grading",
        ("scores", "sentiment"),
        "grades",
        folders=("grades",),
        follow_ups=("show_grades", "notify_frontend"),
        urgent=("show_grades",),  # without it the page shows older grades
    ),
    Shape(
        "evaluation",
        ("grades",),
        "evaluations",
        "evaluation",
        ("evaluations",),
        follow_ups=("show_evaluations",),
        urgent=("show_evaluations",),  # as urgent as its stage: the page shows an older record
        optional=True,
    ),
)
GRADING = [step for step in SHAPE if not step.optional][-1]  # a batch is graded once it has published
# of a variant alone: it reads the champion's grades and its own
COMPARISON = Shape("comparison", ("grades",), "comparisons", optional=True)
# of a market alone that trains models
TRAINING = Shape(
    "training",
    ("prices",),
    "models",
    "trainer",
    ("models",),
    follow_ups=("approve_model", "name_champion"),
    optional=True,
    scheduled=True,
)
EVERY = (*SHAPE, COMPARISON, TRAINING)
DATASETS = {step.name: step.writes for step in SHAPE}  # by step
STAGE_NAMES = tuple(step.stage for step in EVERY if step.stage)
FOLDERS = tuple(folder for step in EVERY for folder in step.folders)  # of the default market's data
FOLLOW_UPS = tuple(task for step in EVERY for task in step.follow_ups if task not in step.urgent)

# DAGs of no market, by what follows `rankalpha_` in their ids: they touch no dataset, and run all day
HOUSEKEEPING = ("maintenance", "watchdog")
WATCHDOG_DAG = "rankalpha_watchdog"


@dataclass(frozen=True)
class Step:
    """A DAG of a pipeline; `reads` and `writes` name datasets.

    `output` is `writes` of the default market, and `inputs` are the names under which a version of it has
    what it reads, see `rankalpha.pipeline.versions`. `also` has the datasets that it may read beside, each
    with that name.
    """

    name: str
    dag_id: str
    reads: tuple[str, ...]
    writes: str
    output: str
    inputs: tuple[str, ...] = ()
    optional: bool = False
    scheduled: bool = False
    also: tuple[tuple[str, str], ...] = ()
