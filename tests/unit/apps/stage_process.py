"""Runs the ingestion and scorer stages as the orchestrator does, each a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
BATCH = "2026-11-20T06:00:00"


def run_stage(
    stage: str, data: Path, batch: str = BATCH, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run apps/<stage>/main.py on the data root `data`; no other setting than `settings` reaches it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(data), "PYTHONPATH": str(ROOT)}
    environment |= {"RANKALPHA_DATA_DIR": str(data), "RANKALPHA_BATCH": batch}
    environment |= {"RANKALPHA_RESULT": str(data / f"{stage}.{batch}.json")}
    return subprocess.run(
        [sys.executable, f"apps/{stage}/main.py"],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def result(stage: str, data: Path, batch: str = BATCH) -> dict:
    """Return what the stage wrote to RANKALPHA_RESULT."""
    return json.loads((data / f"{stage}.{batch}.json").read_text())
