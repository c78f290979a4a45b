"""How a stage, or the engine that runs it, can fail."""

import os

# sysexits.h: another attempt does not fix wrong usage, wrong data or wrong configuration
PERMANENT_EXITS = (os.EX_USAGE, os.EX_DATAERR, os.EX_CONFIG)
# what shells, `env` and Docker's init say of a command that cannot be run or is not there
COMMAND_EXITS = (125, 126, 127)


class StageFailed(Exception):
    """The stage failed, and another attempt may succeed."""


class StageInvalid(StageFailed):
    """The stage cannot succeed before a person has changed something."""


class StageLeft(StageFailed):
    """Airflow ended this attempt, but the stage is still running; the next attempt adopts it."""


class EngineLost(StageFailed):
    """The engine does not answer, so the state of the stage is unknown."""


class ContainerGone(StageFailed):
    """The container no longer exists."""


class NameTaken(StageFailed):
    """A container of that name exists already."""
