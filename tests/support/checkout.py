"""A checkout of its own for a stack that tests start."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# each stage runs for each batch, as tests of stages that fail or are killed expect
EACH_RUNS = ("SCORER_REUSE", "SENTIMENT_REUSE", "EVALUATION_REUSE")


def far_away():
    """A daily schedule whose next run is half a day away, so that no test meets it."""
    then = datetime.now(UTC) + timedelta(hours=12)
    return f"{then.minute} {then.hour} * * *"


def copy_checkout(folder):
    """Copy the files that git has or would take, and nothing that was installed or made here.

    Only the schedule differs, so that no batch begins by itself while tests run, and no version is used
    again. It installs what LOCK names, where `make test-next` sets it.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    if lock := os.environ.get("LOCK"):
        shutil.copy2(ROOT / lock, folder / "requirements" / "embedded.txt")
    for key in EACH_RUNS:
        for profile in (folder / "env").glob(f"*/{key.partition('_')[0].lower()}.env"):
            profile.write_text(f"{profile.read_text()}\n{key}=false\n")
    markets = folder / "datasets" / "markets.toml"
    text, usual = markets.read_text(), '\nschedule = "0 6 * * *"'
    assert usual in text, f"{markets} no longer says when the default market runs"
    markets.write_text(text.replace(usual, f'\nschedule = "{far_away()}"'))
    return folder
