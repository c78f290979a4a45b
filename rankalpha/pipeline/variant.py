"""A variant: what a challenger of a market does in another way, on the same batches."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rankalpha.pipeline.market_values import Image, StageSettings, Weight, settings_problems
from rankalpha.pipeline.steps import COMPARISON, GRADING, SHAPE, Shape
from rankalpha.settings import MOST_SLOTS
from rankalpha.texts import shown

# a challenger has the champion's inputs, so that the first step is never its own
STAGES = tuple(step.stage for step in SHAPE[1:] if step.stage and not step.optional)


class Variant(BaseModel):
    """A table `[<market>.variants.<name>]` of the file of the markets; its fields are the table's keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    images: dict[str, Image] = {}  # by stage
    settings: StageSettings = {}
    sentiment_weight: Weight | None = None  # of its grades; None: the champion's
    slots: Annotated[int, Field(gt=0, le=MOST_SLOTS)] = 1  # of the pool of its stages

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        for stage in self.images.keys() - set(STAGES):
            yield f"images.{shown(stage)[1:-1]}: not a stage of a variant; expected {', '.join(STAGES)}"
        yield from settings_problems(self.settings, STAGES, "a variant")
        for stage, values in self.settings.items():
            if (key := f"{stage.upper()}_VERSIONS") in values:
                yield (
                    f"settings.{stage}.{key} cannot be set, because a variant always writes versions of its "
                    "own; leave it out"
                )
        if not (self.images or any(self.settings.values()) or self.sentiment_weight is not None):
            yield "nothing differs from the champion; expected images, settings or sentiment_weight"

    @property
    def steps(self) -> tuple[Shape, ...]:
        """The steps that are its own: those that differ, and what reads from them; grading always is."""
        own: dict[str, Shape] = {}
        for step in SHAPE:
            differs = step.stage in self.images or self.settings.get(step.stage)
            if not step.optional and (differs or own.keys() & set(step.reads) or step is GRADING):
                own[step.writes] = step
        return tuple(own.values())

    @property
    def writes(self) -> frozenset[str]:
        """The default market's names of the datasets that are its own."""
        return frozenset(step.writes for step in (*self.steps, COMPARISON))
