"""What the keys of a market may hold; each mistake is named with what is expected."""

from datetime import UTC, datetime
from typing import Annotated

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, Field, ValidationInfo

from rankalpha.pipeline.exchanges import calendar_problem
from rankalpha.usable import image_problem

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


Image = Annotated[str, AfterValidator(_image)]
Cron = Annotated[str, AfterValidator(_cron)]
Calendar = Annotated[str, AfterValidator(_calendar)]
Sessions = Annotated[int, Field(gt=0, le=MOST_SESSIONS)]  # of a market with a calendar
SessionLimit = Annotated[Sessions | None, AfterValidator(_sessions)]
