"""Settings of the orchestration itself; only this package reads them from the environment.

They can be read while a DAG file is parsed, because they need no database and no API. The settings of a
*stage* (image, limits, keys of its env file) are looked up when its task runs, see
`rankalpha.stages.profile`.
"""

from rankalpha.settings.environment import A_YEAR, MOST_SLOTS, SettingsError
from rankalpha.settings.orchestration import Settings, settings
from rankalpha.settings.processes import (
    AdminSettings,
    DeploymentSettings,
    LogSettings,
    ProxySettings,
    StackSettings,
)

__all__ = (
    "A_YEAR",
    "MOST_SLOTS",
    "AdminSettings",
    "DeploymentSettings",
    "LogSettings",
    "ProxySettings",
    "Settings",
    "SettingsError",
    "StackSettings",
    "settings",
)
