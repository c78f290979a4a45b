"""Training: that a market trains models, and when."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rankalpha.pipeline.market_values import Cron


class Training(BaseModel):
    """A table `[<market>.training]` of the file of the markets; its fields are the table's keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    schedule: Cron = "0 4 * * 0"  # in UTC; each time on the newest batch in prices
    approval_days: Annotated[int, Field(gt=0, le=30)] = 5  # within which a person has to answer
