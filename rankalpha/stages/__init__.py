"""The stages, each declared once in a file of its own: rankalpha/stages/<stage>.py.

`rankalpha.pipeline.steps` lists them. A stage whose file declares no stage of that name, or a folder of data
that no step has, fails here. What only some markets have is loaded for these alone.
"""

from importlib import import_module
from pathlib import PurePosixPath

from rankalpha.pipeline.market import Market
from rankalpha.pipeline.steps import FOLDERS, SHAPE, TRAINING
from rankalpha.stages.stage import Stage

DATA = PurePosixPath("/data")  # root of the data in a container


def _declared(name: str) -> Stage:
    module = import_module(f"rankalpha.stages.{name}")
    stage = next((value for value in vars(module).values() if isinstance(value, Stage)), None)
    if stage is None or stage.name != name:
        raise ValueError(f"rankalpha/stages/{name}.py declares no Stage with name={name!r}")
    if stage.output and stage.output not in FOLDERS:
        raise ValueError(
            f"stage {name}: output={stage.output!r} is not one of the folders {', '.join(FOLDERS)}"
        )
    for volume in stage.docker.volumes:
        target = PurePosixPath(volume.target)
        if target.is_relative_to(DATA) and target.relative_to(DATA).parts[:1] not in {(f,) for f in FOLDERS}:
            raise ValueError(
                f"stage {name}: no step has the folder of its volume {volume.target}; "
                "add it to the step's `folders` in rankalpha/pipeline/steps.py"
            )
    return stage


STAGES = tuple(_declared(step.stage) for step in SHAPE if step.stage)  # of every market


def stages_of(market: Market) -> tuple[Stage, ...]:
    """Return the stages of a market, with its data."""
    more = (_declared(TRAINING.stage),) if market.training else ()
    return tuple(stage.of(market) for stage in (*STAGES, *more))
