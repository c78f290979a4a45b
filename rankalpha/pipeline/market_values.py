"""What the keys of a market and of a variant may hold; each mistake is named with what is expected."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, Field, ValidationInfo

from rankalpha.pipeline.exchanges import calendar_problem
from rankalpha.pipeline.steps import STAGE_NAMES
from rankalpha.texts import shown
from rankalpha.usable import image_problem, key_problem, text_problem

FIELDS = 5  # of a cron expression; croniter takes more
MOST_SESSIONS = 5  # of a limit; the closes of ten are known ahead


def _image(value: str) -> str:
    if problem := image_problem(value):
        raise ValueError(problem)
    return value


def _cron(value: str) -> str:
    if len(value.split()) != FIELDS or not croniter.is_valid(value):
        raise ValueError(
            "is not a cron expression; expected five fields such as 0 6 * * * for daily at 06:00 UTC"
        )
    try:
        croniter(value, datetime.now(UTC)).get_next()
    except CroniterBadDateError as error:
        raise ValueError(
            "is a cron expression of a day that never comes; correct its day or month"
        ) from error
    return value


def _sessions(value: int | None, given: ValidationInfo) -> int | None:
    if value and given.data.get("calendar") == "":
        raise ValueError('needs the sessions of an exchange; name it as well, such as calendar = "XNYS"')
    return value


def _calendar(value: str) -> str:
    if problem := calendar_problem(value):
        raise ValueError(problem)
    return value


def settings_problems(
    settings: Mapping[str, Mapping[str, str]], stages: Sequence[str], who: str
) -> Iterator[str]:
    """Yield what is wrong with the settings of stages; `who` has these stages."""
    for stage, values in settings.items():
        if stage not in stages:
            yield f"settings.{shown(stage)[1:-1]}: not a stage of {who}; expected {', '.join(stages)}"
        for key, value in values.items():
            if problem := _setting_problem(stage, key, value):
                yield f"settings.{stage}.{shown(key)[1:-1]} {problem}"


def _setting_problem(stage: str, key: str, value: str) -> str:
    """Return why a stage cannot be given a setting; an empty text when it can."""
    if key == f"{stage.upper()}_IMAGE":
        return f"is an image; expected images = {{{stage} = {shown(value)}}}"
    if key.startswith("RANKALPHA_"):
        return "is given by Airflow; leave it out"
    return key_problem(key) or text_problem(value)


def _settings(value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    if problems := list(settings_problems(value, STAGE_NAMES, "a market")):
        raise ValueError("; ".join(problems))
    return value


StageSettings = dict[str, dict[str, str]]  # by stage; they win over Variables and env files
MarketSettings = Annotated[StageSettings, AfterValidator(_settings)]
Weight = Annotated[float, Field(ge=0, le=1)]  # of sentiment in the grades
Image = Annotated[str, AfterValidator(_image)]
Cron = Annotated[str, AfterValidator(_cron)]
Calendar = Annotated[str, AfterValidator(_calendar)]
Sessions = Annotated[int, Field(gt=0, le=MOST_SESSIONS)]  # of a market with a calendar
SessionLimit = Annotated[Sessions | None, AfterValidator(_sessions)]
