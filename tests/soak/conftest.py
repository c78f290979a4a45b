"""A stack of its own with the reference services, because it runs for hours and parts of it are killed."""

import shutil

import pytest

from tests.support.checkout import ROOT
from tests.support.recording_stack import new_stack, write_markets

KEPT_DAYS = "3"  # simulated ones: so much is there at most when maintenance has run


@pytest.fixture(scope="session")
def stack(home, shared):
    """The running stack, whose batches begin when the test says so."""
    folder = home / "soak"
    shutil.copytree(ROOT / "env" / "local", folder / "env" / "local")
    write_markets(folder / "markets.toml", {"default": {}})
    running = new_stack(
        folder,
        shared,
        RANKALPHA_MARKETS=str(folder / "markets.toml"),
        RANKALPHA_STAGE_TIMEOUT="300",
        RANKALPHA_RETRIES="3",
        RANKALPHA_KEEP_METADATA_DAYS=KEPT_DAYS,
        RANKALPHA_KEEP_LOG_DAYS=KEPT_DAYS,
        RANKALPHA_KEEP_UNPUBLISHED_DAYS="1",
    )
    with running.started():
        yield running


@pytest.fixture(scope="session")
def report_folder():
    """Where the table and the samples go; git ignores it."""
    folder = ROOT / "reports"
    folder.mkdir(exist_ok=True)
    return folder
