"""A stage that is forked, as the tests run it, ends as one that is started, as the orchestrator runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.apps.support.stage_process import BATCH, ROOT, environment, run_process, run_stage


@pytest.mark.parametrize(
    ("stage", "settings"),
    [
        ("ingestion", {}),
        ("ingestion", {"SCREENER_TOP": "0"}),
        ("scorer", {}),
        ("sentiment", {"OPENAI_API_KEY": "no header\n"}),
    ],
    ids=["ingestion", "refused", "scorer", "sentiment"],
)
def test_a_forked_stage_is_like_a_started_one(tmp_path: Path, stage: str, settings: dict[str, str]) -> None:
    if stage != "ingestion":
        assert run_stage("ingestion", tmp_path).returncode == 0
    env = environment(RANKALPHA_DATA_DIR=str(tmp_path), RANKALPHA_BATCH=BATCH, **settings)
    forked = run_process(stage, env)
    started = subprocess.run(
        [sys.executable, f"apps/{stage}/main.py"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )
    assert forked.stdout
    assert forked.slept == []
