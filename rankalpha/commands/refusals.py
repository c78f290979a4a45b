"""What a command refuses with: its message is one line, and nothing was changed."""

import requests

from rankalpha import remedy
from rankalpha.airflow_api import AirflowApiError
from rankalpha.pipeline.batch import BatchError
from rankalpha.settings import SettingsError
from rankalpha.stack.backup.errors import BackupError


class Refused(Exception):
    """The command does not do what it was asked for; the message says why, and nothing was triggered."""


class StackDown(Refused):
    """Nothing answers because the stack of this checkout does not run."""

    def __init__(self) -> None:
        super().__init__(f"the stack is down; start it with `{remedy.up()}`")


REFUSALS = (Refused, BackupError, BatchError, SettingsError, AirflowApiError, requests.RequestException)
