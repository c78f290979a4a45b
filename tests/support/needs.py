"""What tests need of the machine beside Python: skipped without it, failed where all must be there."""

import os
import shutil

import pytest

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "promtool": ("promtool",),
}


def needs(program):
    """Return the path of a program; a test that lacks it is skipped, and fails in CI."""
    path = next(filter(None, map(shutil.which, PROGRAMS[program])), None)
    if path is None:
        absent(f"{program} is not installed")
    return path


def absent(reason):
    """Skip, or fail where nothing may be absent."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
