"""Other ways to run the sentiment stage: with uv, and as the long-running service."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tests.unit.apps.support.batch_files import KEY, ON_LISTS, ROOT, read_sentiment, write_appearances
from tests.unit.apps.support.stage_process import environment


def test_uv_run_uses_the_environment_at_hand_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_appearances(tmp_path / "data")
    (tmp_path / "home").mkdir()
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("uv is not installed")
    before = set(ROOT.glob("*")) | set((ROOT / "apps/sentiment").glob("*"))
    settings = {
        "HOME": str(tmp_path / "home"), "RANKALPHA_BATCH": KEY, "RANKALPHA_DATA_DIR": str(tmp_path / "data"),
        "UV_NO_PROJECT": "1", "UV_PYTHON": sys.executable, "UV_NO_CACHE": "1", "UV_OFFLINE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [uv, "run", "main.py"],
        cwd=ROOT / "apps/sentiment",
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(read_sentiment(tmp_path / "data"))
    assert not list((tmp_path / "home").iterdir())
    assert set(ROOT.glob("*")) | set((ROOT / "apps/sentiment").glob("*")) == before


def test_service_mode_repeats_the_newest_batch_until_sigterm(tmp_path: Path) -> None:
    write_appearances(tmp_path)
    (tmp_path / "prices" / "leftover").mkdir()
    settings = {"SENTIMENT_CONSENSUS_BATCH_ONLY": "false", "SENTIMENT_INTERVAL_SECONDS": "1"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "apps/sentiment/main.py"],
            cwd=ROOT,
            env=environment(RANKALPHA_DATA_DIR=str(tmp_path), **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for("first round", (tmp_path / "company_reports" / KEY / "sentiment.json").exists)
        newer = "2026-11-23T06:00:00"
        write_appearances(tmp_path, newer).write_text("half a fi")
        wait_for("a failed round", lambda: "Invalid JSON" in (tmp_path / "log").read_text())
        write_appearances(tmp_path, newer, {"KO": ON_LISTS["KO"]})
        wait_for("the round after the failed one", (tmp_path / "company_reports" / newer).exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()
