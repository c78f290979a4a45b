"""Other ways to run the sentiment stage: with uv, and as the long-running service."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def service(folder: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service on a batch, until it is stopped; what it prints is in the file `log`."""
    write_appearances(folder)
    settings = {"SENTIMENT_CONSENSUS_BATCH_ONLY": "false", "SENTIMENT_INTERVAL_SECONDS": "1", **settings}
    command = [sys.executable, "apps/sentiment/main.py"]
    env = environment(RANKALPHA_DATA_DIR=str(folder), **settings)
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
    assert "Traceback" not in (folder / "log").read_text()


def test_who_stops_it_while_it_loads_sees_no_traceback(tmp_path: Path) -> None:
    with service(tmp_path) as process:
        maps = Path("/proc", str(process.pid), "maps")
        wait_for("a library to be loaded", lambda: "_ssl" in maps.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) in (128 + signal.SIGINT, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_once_and_without_a_traceback_while_feeds_do_not_answer(
    tmp_path: Path, number: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{{symbol}}"
        with service(tmp_path, SENTIMENT_HEADLINES="rss", SENTIMENT_RSS_URL=url) as process:
            silent.settimeout(60)
            with silent.accept()[0]:
                process.send_signal(number)
                assert process.wait(timeout=10) == 0


def test_service_mode_repeats_the_newest_batch_until_sigterm(tmp_path: Path) -> None:
    (tmp_path / "prices" / "leftover").mkdir(parents=True)
    with service(tmp_path) as process:
        wait_for("first round", (tmp_path / "company_reports" / KEY / "sentiment.json").exists)
        newer = "2026-11-23T06:00:00"
        write_appearances(tmp_path, newer).write_text("half a fi")
        wait_for("a failed round", lambda: "Invalid JSON" in (tmp_path / "log").read_text())
        write_appearances(tmp_path, newer, {"KO": ON_LISTS["KO"]})
        wait_for("the round after the failed one", (tmp_path / "company_reports" / newer).exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_service_mode_says_that_it_reads_no_versions(tmp_path: Path) -> None:
    data = tmp_path / "data"
    manifest = data / "prices" / KEY / "ingestion-3f9a1c2e-1" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    with service(tmp_path, SENTIMENT_DATA_DIR=str(data)) as process:
        wait_for("a round", lambda: "set INGESTION_VERSIONS=false" in (tmp_path / "log").read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
